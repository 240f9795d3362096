#include "app/cli/new_key.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"
#include "storage/repo/core.h"
#include "storage/repo/key_slots.h"

namespace lb::cli {

namespace {

constexpr std::uint64_t page_bytes_max = 64 << 10;

Result<unsigned> read_number(const Args& args, const std::string& flag, unsigned fallback) {
  auto text = args.get(flag);
  if (text.empty()) return fallback;
  auto number = parse_uint(text);
  if (number.ok() && *number >= 1 && *number <= 255) return static_cast<unsigned>(*number);
  return Error(ErrorKind::invalid, cat("--", flag, " must be a number from 1 to 255"))
      .with_exit(ExitCode::usage);
}

struct KitWish {
  std::string name, folder;
  unsigned shares = 5, need = 3;

  std::string path(unsigned number) const {
    return path_join(folder, cat(name, "-share-", number, "-of-", shares, ".txt"));
  }
};

Result<KitWish> read_wish(const Shell& shell, const Args& args) {
  KitWish wish;
  wish.name = args.positionals.empty() ? "kit" : args.positionals[0];
  LB_TRY(keys::check_slot_name(wish.name));
  wish.shares = LB_TRY(read_number(args, "shares", 5));
  wish.need = LB_TRY(read_number(args, "need", 3));
  if (wish.need > wish.shares) {
    return Error(ErrorKind::invalid, "more shares would be needed than there are")
        .with_exit(ExitCode::usage);
  }
  auto out = args.get("out");
  if (out.empty()) {
    return Error(ErrorKind::invalid, "--out FOLDER is missing: where the shares are written")
        .with_exit(ExitCode::usage);
  }
  wish.folder = out.starts_with('/') ? out : path_join(shell.folder, out);
  return wish;
}

Status make_folder(const Shell& shell, const KitWish& wish) {
  auto& files = shell.world.files;
  LB_TRY(make_directories(files, wish.folder, 0700));
  for (unsigned number = 1; number <= wish.shares; ++number) {
    if (!LB_TRY(path_exists(files, wish.path(number)))) continue;
    return Error(ErrorKind::conflict, cat(wish.path(number), " is there already"))
        .with_hint("give another folder: shares of two kits do not mix")
        .with_exit(ExitCode::refused);
  }
  return {};
}

Status write_pages(const Shell& shell, const KitWish& wish, const std::string& place,
                   const std::vector<keys::KitShare>& shares) {
  for (const auto& share : shares) {
    auto page = keys::write_share(share, place);
    LB_TRY(write_durably(shell.world.files, wish.path(share.share.number), page.bytes(), 0600));
  }
  return {};
}

Result<keys::KitShare> read_page(const Shell& shell, const std::string& path) {
  auto bytes = LB_TRY(read_file(shell.world.files, path, page_bytes_max));
  Secret page{ByteView(bytes)};
  wipe(bytes);
  return keys::read_share(page, path);
}

// The files themselves must open the repository: a kit that was never tried is a hope.
Status prove(const Shell& shell, const KitWish& wish, BlobStore& blobs) {
  std::vector<keys::KitShare> shares;
  for (unsigned number = wish.shares; number > wish.shares - wish.need; --number)
    shares.push_back(LB_TRY(read_page(shell, wish.path(number))));
  keys::ShareOpener opener(std::move(shares));
  return repo::open_keyring(blobs, opener).status();
}

// A slot whose shares were not written would look like a kit: it goes again.
Status make_kit(const Shell& shell, Session& session, const KitWish& wish) {
  repo::KeySlots slots(*session.blobs, shell.world.clock, shell.world.random,
                       session.repository->core()->keys);
  LB_TRY(make_folder(shell, wish));
  auto shares = LB_TRY(slots.add_kit(wish.name, wish.need, wish.shares));
  auto done = write_pages(shell, wish, session.blobs->describe(), shares);
  if (done.ok()) done = prove(shell, wish, *session.blobs);
  if (done.ok()) return {};
  auto error = std::move(done).take_error();
  if (auto removed = slots.remove(wish.name); !removed.ok()) {
    return std::move(error).with_left(
        cat("key slot ", wish.name, ", whose shares are not all written"));
  }
  return std::move(error).with_left(cat("shares in ", wish.folder, " that open nothing"));
}

Result<ExitCode> run_kit(const Shell& shell, const Args& args) {
  auto wish = LB_TRY(read_wish(shell, args));
  auto session = LB_TRY(Session::open(shell, args));
  auto act = LB_TRY(state::Act::begin(shell.world, *session->journal, "key kit", {},
                                      cat("Making recovery kit ", wish.name), Json::object()));
  auto made = make_kit(shell, *session, wish);
  LB_TRY(act->finish(made.ok(), made.ok() ? "Made" : made.error().text(), Json::object()));
  LB_TRY(std::move(made));
  if (auto mirrored = session->journal->mirror(*session->repository); !mirrored.ok())
    shell.console.warn(cat("the journal is not mirrored yet: ", mirrored.error().text()));
  if (shell.console.options().json) {
    shell.console.event("lifeboat.summary/1", Json::object()
                                                  .set("verb", "key kit")
                                                  .set("ok", true)
                                                  .set("exit", 0)
                                                  .set("name", wish.name)
                                                  .set("folder", wish.folder));
  } else {
    shell.console.out(cat("recovery kit ", wish.name, ": ", wish.shares, " shares in ", wish.folder,
                          ", any ", wish.need,
                          " of them open the repository (tried)\nPrint them, give each to another "
                          "person or place, and remove the files."));
  }
  return ExitCode::ok;
}

Error no_such_kit(const keys::KitShare& share, const BlobStore& blobs) {
  return Error(ErrorKind::denied, cat("the kit of ", share.source,
                                      " does not open the repository in ", blobs.describe()))
      .with_hint(cat("it is kit ", share.kit, " of repository ", share.repository,
                     ": is this another repository, or was the kit removed?"))
      .with_exit(ExitCode::wrong_key);
}

Result<std::vector<keys::KitShare>> read_pages(const Shell& shell, const Args& args) {
  std::vector<keys::KitShare> shares;
  for (const auto& word : args.positionals) {
    auto path = word.starts_with('/') ? word : path_join(shell.folder, word);
    shares.push_back(LB_TRY(read_page(shell, path)));
  }
  LB_TRY(keys::check_one_kit(shares));
  return shares;
}

Result<repo::Keyring> open_with_shares(BlobStore& blobs, std::vector<keys::KitShare> shares) {
  auto lines = LB_TRY(repo::list_slots(blobs, shares.front().repository));
  bool there = false;
  for (const auto& line : lines)
    there = there || (line.problem.empty() && line.slot.id == shares.front().kit);
  if (!there) return no_such_kit(shares.front(), blobs);
  keys::ShareOpener opener(std::move(shares));
  return repo::open_keyring(blobs, opener);
}

// Which shares were brought together: whose pages these are, the holders know.
Json used(const std::string& name, const std::vector<keys::KitShare>& shares) {
  auto numbers = Json::array();
  for (const auto& share : shares) numbers.push(std::uint64_t{share.share.number});
  return Json::object()
      .set("name", name)
      .set("kit", shares.front().kit)
      .set("shares", std::move(numbers));
}

// The new key is the first that opens the repository again; with it the journal gets there.
void mirror_with(const Shell& shell, state::Journal& journal, BlobStore& blobs, const Secret& key) {
  auto opened = repo::open_repository(blobs, shell.world.clock, shell.world.random, key);
  auto mirrored = opened.ok() ? journal.mirror(**opened) : opened.status();
  if (!mirrored.ok())
    shell.console.warn(cat("the journal is not mirrored yet: ", mirrored.error().text()));
}

Result<ExitCode> run_recover(const Shell& shell, const Args& args) {
  if (args.positionals.empty()) {
    return Error(ErrorKind::invalid, "the files of the shares are missing")
        .with_exit(ExitCode::usage);
  }
  auto name = args.get("name", "recovered");
  auto loaded = LB_TRY(load_plan(shell, args));
  References references(shell.world, shell.environment, loaded.folder);
  auto place = LB_TRY(open_place(shell, references, loaded.plan.repository));
  auto shares = LB_TRY(read_pages(shell, args));
  auto details = used(name, shares);
  auto ring = LB_TRY(open_with_shares(*place.blobs, std::move(shares)));
  auto key = LB_TRY(read_new_key(shell, references, args));
  auto journal = LB_TRY(state::Journal::open(
      shell.world, path_join(state_folder(shell, loaded.plan.system), "journal.sqlite")));
  auto act = LB_TRY(state::Act::begin(shell.world, *journal, "key recover", {},
                                      cat("Adding key ", name, " with a recovery kit"), details));
  auto added = repo::KeySlots(*place.blobs, shell.world.clock, shell.world.random, ring)
                   .add(name, keys::Grant::read_and_write, key.text, PasswordCost{});
  LB_TRY(act->finish(added.ok(), added.ok() ? "Done" : added.error().text(), std::move(details)));
  LB_TRY(std::move(added));
  mirror_with(shell, *journal, *place.blobs, key.text);
  if (shell.console.options().json) {
    shell.console.event(
        "lifeboat.summary/1",
        Json::object().set("verb", "key recover").set("ok", true).set("exit", 0).set("name", name));
  } else {
    shell.console.out(cat("key slot ", name,
                          " added: ", key.file.empty() ? std::string("the passphrase") : key.file,
                          " opens the repository\nMake the plan's repository.key refer to it. If "
                          "the old keys are lost for good, see lifeboat key ls and key remove."));
  }
  return ExitCode::ok;
}

}  // namespace

Verb key_kit_verb() {
  return {{"key kit",
           "Makes a recovery kit: pages to print, any few of which open the repository together.",
           {"lifeboat key kit --out /media/usb                        # 5 shares, any 3 suffice",
            "lifeboat key kit board --shares 3 --need 2 --out ./kit   # another number, a name"},
           "key kit [NAME] [--shares N] [--need K] --out FOLDER",
           {{"shares", 0, "N", "how many shares (default 5)", false},
            {"need", 0, "K", "how many of them open the repository (default 3)", false},
            {"out", 0, "FOLDER", "where the pages are written, mode 0600", false}},
           1},
          run_kit};
}

Verb key_recover_verb() {
  auto flags = new_key_flags();
  flags.push_back({"name", 0, "NAME", "name of the new key slot (default: recovered)", false});
  return {{"key recover",
           "Opens the repository with shares of a recovery kit and adds a new key.",
           {"lifeboat key recover a.txt b.txt c.txt --passphrase ask    # asks for the new one",
            "lifeboat key recover a.txt b.txt --file ./new.key          # makes a key file"},
           "key recover SHARE-FILE... (--passphrase REF | --file PATH) [--name NAME]",
           flags,
           255},
          run_recover};
}

}  // namespace lb::cli
