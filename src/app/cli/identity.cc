#include "app/cli/identity.h"

#include "foundation/base/bytes.h"
#include "foundation/base/text.h"
#include "foundation/crypto/signature.h"
#include "operations/incident/proven.h"

namespace lb::cli {

std::vector<Flag> identity_flags() {
  return {{"key", 0, "FILE", "sign with this key", false},
          {"as", 0, "PERSON", "whose key it is", false}};
}

Result<std::optional<Signer>> signer_of(const Shell& shell, const Args& args) {
  if (!args.has("key") && !args.has("as")) return std::optional<Signer>();
  if (!args.has("as"))
    return Error(ErrorKind::invalid, "--key needs --as, the person it is the key of");
  if (!args.has("key"))
    return Error(ErrorKind::invalid,
                 "--as needs --key, the file that holds the key of that person");
  constexpr std::size_t key_file_max = 4096;
  auto text = LB_TRY(read_file(shell.world.files, args.get("key"), key_file_max));
  auto seed = from_hex(trim(text_of(text)));
  wipe(text);
  if (!seed.ok() || seed->size() != 32) {
    return Error(ErrorKind::invalid, cat(printable(args.get("key")), " holds no key"))
        .with_hint("64 hex digits, as lifeboat person key wrote them");
  }
  Secret secret{ByteView(*seed)};
  wipe(*seed);
  return std::optional<Signer>(Signer{args.get("as"), std::move(secret)});
}

std::string signature_of(const Signer& signer, const std::string& text) {
  return to_hex(sign(signer.key, view_of(text)));
}

Status say_who(const Shell& shell, const plan::Plan& plan, const Signer* signer,
               const std::string& family, const std::string& member, record::Fact& fact) {
  fact.host = shell.host;
  fact.by = runbook::actor_of(plan, shell.user, shell.host).text();
  if (signer == nullptr) return {};
  // What others read names the person; that it is so, is asked of the plan before anything is kept.
  incident::name_signer(fact, signer->person, to_hex(signing_public_key_of(signer->key)));
  const auto said = [&] { return incident::signed_text(family, member, fact); };
  const auto actor = LB_TRY(runbook::actor_of(
      plan, {shell.user, shell.host}, {signer->person, signature_of(*signer, said())}, said()));
  fact.by = actor.text();
  incident::add_signature(fact, signature_of(*signer, said()));
  return {};
}

}  // namespace lb::cli
