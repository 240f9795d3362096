#include "app/cli/place.h"

#include "app/cli/session.h"
#include "foundation/base/text.h"
#include "storage/blob/reserving_blob_store.h"

namespace lb::cli {

namespace {

// Where objects live, as the repository and each of its copies say it.
struct Home {
  const plan::Reference& at;
  const plan::S3Access& s3;
  std::optional<Micros> immutable;
};

std::string from_environment(const References& references,
                             std::initializer_list<const char*> names) {
  for (const char* name : names) {
    auto found = references.environment().find(name);
    if (found != references.environment().end() && !found->second.empty()) return found->second;
  }
  return {};
}

// What the plan says, else what the environment says under the names other S3 programs use.
Result<std::string> said(const References& references, const plan::Reference& reference,
                         std::initializer_list<const char*> names) {
  if (reference.empty()) return from_environment(references, names);
  auto value = LB_TRY(references.secret(reference));
  return std::string(value.reveal());
}

Result<S3Credentials> credentials_of(const References& references, const plan::S3Access& s3) {
  S3Credentials out;
  if (!s3.access_key.empty()) {
    out.access_key = LB_TRY(said(references, s3.access_key, {}));
    out.secret_key = LB_TRY(references.secret(s3.secret_key));
    if (!s3.session_token.empty()) out.session_token = LB_TRY(references.secret(s3.session_token));
    return out;
  }
  out.access_key = from_environment(references, {"AWS_ACCESS_KEY_ID"});
  out.secret_key =
      Secret(std::string_view(from_environment(references, {"AWS_SECRET_ACCESS_KEY"})));
  out.session_token = Secret(std::string_view(from_environment(references, {"AWS_SESSION_TOKEN"})));
  if (out.access_key.empty() || out.secret_key.empty()) {
    return Error(ErrorKind::invalid, "no credentials for the S3 service")
        .with_hint(
            "export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or set s3: {access_key: "
            "env:NAME, secret_key: env:NAME}");
  }
  return out;
}

Result<S3Settings> s3_settings(const Shell& shell, const References& references, const Home& home,
                               std::string_view text) {
  S3Settings out;
  auto address = LB_TRY(parse_s3_address(text));
  out.bucket = address.bucket;
  out.prefix = address.prefix;
  auto region = LB_TRY(said(references, home.s3.region, {"AWS_REGION", "AWS_DEFAULT_REGION"}));
  if (!region.empty()) out.region = region;
  auto endpoint =
      LB_TRY(said(references, home.s3.endpoint, {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"}));
  bool amazon = endpoint.empty();
  if (amazon) endpoint = cat("https://s3.", out.region, ".amazonaws.com");
  out.endpoint = LB_TRY(parse_s3_endpoint(endpoint));
  // A dot in the bucket's name would not match the certificate of a host.
  bool by_host = amazon && out.bucket.find('.') == std::string::npos;
  out.bucket_in_host = home.s3.style.empty() ? by_host : home.s3.style == "host";
  out.credentials = LB_TRY(credentials_of(references, home.s3));
  if (!home.s3.ca.empty()) {
    out.ca_file = LB_TRY(references.path(home.s3.ca));
  } else {
    out.ca_file = from_environment(references, {"AWS_CA_BUNDLE"});
  }
  out.immutable = home.immutable;
  out.governance = home.s3.lock == "governance";
  out.stop = shell.stop;
  auto& console = shell.console;
  out.notice = [&console](const std::string& line) { console.warn(line); };
  return out;
}

Result<OpenedPlace> open_bucket(const Shell& shell, const References& references, const Home& home,
                                std::string_view text) {
  auto settings = LB_TRY(s3_settings(shell, references, home, text)
                             .context(cat("repository at ", home.at.text()))
                             .exit_as(ExitCode::usage));
  auto& world = shell.world;
  auto store =
      std::make_unique<S3BlobStore>(world.http, world.clock, world.random, std::move(settings));
  OpenedPlace out;
  out.text = store->describe();
  out.s3 = store.get();
  out.immutable = home.immutable.has_value();
  out.blobs = std::move(store);
  return out;
}

Result<OpenedPlace> open_home(const Shell& shell, const References& references, const Home& home,
                              MissingFolder missing) {
  auto place = LB_TRY(references.secret(home.at));
  std::string text(place.reveal());
  if (text.starts_with("s3://")) return open_bucket(shell, references, home, text);
  if (text.starts_with("file://")) text = text.substr(7);
  if (text.find("://") != std::string::npos) {
    return Error(ErrorKind::unsupported,
                 cat("not supported yet: repository at ", home.at.text(), " (",
                     home.at.place.text(), "); a directory or s3://bucket/prefix works"));
  }
  if (home.immutable) {
    return Error(ErrorKind::invalid, cat(home.at.place.text(), ": a directory cannot be immutable"))
        .with_hint("write at: s3://bucket/prefix, with object lock on the bucket");
  }
  OpenedPlace out;
  out.folder = references.absolute(text);
  out.text = out.folder;
  out.blobs = LB_TRY(open_directory_blobs(shell.world.files, shell.world.clock, shell.world.random,
                                          out.folder, missing)
                         .hint("lifeboat init makes the repository the plan names"));
  return out;
}

}  // namespace

Result<OpenedPlace> open_place(const Shell& shell, const References& references,
                               const plan::RepositoryPlan& repository, MissingFolder missing) {
  return open_home(shell, references, {repository.at, repository.s3, repository.immutable},
                   missing);
}

Result<OpenedPlace> open_place(const Shell& shell, const References& references,
                               const plan::Copy& copy, MissingFolder missing) {
  return open_home(shell, references, {copy.at, copy.s3, copy.immutable}, missing);
}

std::unique_ptr<BlobStore> with_reserve(const Shell& shell, std::unique_ptr<BlobStore> blobs,
                                        const std::string& folder) {
  if (folder.empty()) return blobs;
  return std::make_unique<ReservingBlobStore>(std::move(blobs), shell.world.files, folder);
}

}  // namespace lb::cli
