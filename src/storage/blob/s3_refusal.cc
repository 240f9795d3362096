#include "storage/blob/s3_refusal.h"

#include "foundation/base/text.h"
#include "foundation/codec/xml.h"

namespace lb {

namespace {

struct Meaning {
  std::string_view code;
  ErrorKind kind;
  ExitCode exit;
  std::string_view text, hint;
};

constexpr Meaning meanings[] = {
    {"NoSuchBucket", ErrorKind::not_found, ExitCode::no_repository, "there is no such bucket",
     "make the bucket with the tools of the service: objects are ours to make, buckets are not"},
    {"InvalidAccessKeyId", ErrorKind::denied, ExitCode::store_unreachable,
     "the service does not know this access key",
     "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or s3: {access_key: …, secret_key: …}"},
    {"SignatureDoesNotMatch", ErrorKind::denied, ExitCode::store_unreachable,
     "the secret key does not belong to the access key",
     "set both to one pair; a secret copied with a missing or added character looks like this"},
    {"InvalidToken", ErrorKind::denied, ExitCode::store_unreachable,
     "the session token is not valid", "fetch new temporary credentials, all three values"},
    {"ExpiredToken", ErrorKind::denied, ExitCode::store_unreachable,
     "the session token has expired", "fetch new temporary credentials, all three values"},
    {"RequestTimeTooSkewed", ErrorKind::denied, ExitCode::store_unreachable,
     "the clock of this machine is too far off", "set the clock, for example with chrony"},
    {"QuotaExceeded", ErrorKind::exhausted, ExitCode::no_space, "the quota of the bucket is full",
     "raise the quota, or prune and run again"},
    {"EntityTooLarge", ErrorKind::exhausted, ExitCode::no_space,
     "the service refuses objects of this size", "raise its limit for single uploads"},
    {"XAmzContentSHA256Mismatch", ErrorKind::corrupt, ExitCode::failed,
     "the bytes changed on their way to the service", "look for a broken proxy between"},
    {"BadDigest", ErrorKind::corrupt, ExitCode::failed,
     "the bytes changed on their way to the service", "look for a broken proxy between"},
    {"ObjectLockConfigurationNotFoundError", ErrorKind::unsupported, ExitCode::usage,
     "the bucket was made without object lock",
     "make a bucket with object lock, or leave immutable: out"},
};

// The region an engine asks for instead of ours.
std::string other_region(const S3Answer& answer) {
  auto region = answer.header("x-amz-bucket-region");
  auto quoted = answer.message.find("expecting '");
  if (region.empty() && quoted != std::string::npos) {
    auto start = quoted + 11;
    region = answer.message.substr(start, answer.message.find('\'', start) - start);
  }
  return region;
}

Error elsewhere(const S3Settings& settings, const S3Answer& answer, const std::string& subject) {
  auto region = other_region(answer);
  Error error(ErrorKind::invalid, cat(subject, ": the bucket is not in region ", settings.region,
                                      region.empty() ? "" : cat(" but in ", region)));
  return std::move(error)
      .with_exit(ExitCode::store_unreachable)
      .with_hint(region.empty() ? "set s3: {region: …} to where the bucket is"
                                : cat("set s3: {region: ", region, "}"));
}

std::string said(const S3Answer& answer) {
  auto out = cat("HTTP ", answer.status);
  if (!answer.code.empty()) out += cat(" ", answer.code);
  if (!answer.message.empty() && answer.message != answer.code) out += cat(", ", answer.message);
  return out;
}

}  // namespace

void read_refusal(S3Answer& answer) {
  auto root = parse_xml(text_of(answer.body));
  if (!root.ok()) return;  // a proxy's page, or a HEAD: the status has to do
  answer.code = printable(root->text_of("Code")).substr(0, 100);
  answer.message = printable(root->text_of("Message")).substr(0, 300);
}

Error explain_refusal(const S3Settings& settings, const S3Answer& answer, const std::string& what) {
  auto subject = cat(what, " in ", settings.describe());
  auto native = cat("HTTP ", answer.status);
  bool moved = answer.status == 301 || answer.status == 307 ||
               answer.code == "AuthorizationHeaderMalformed" || answer.code == "PermanentRedirect";
  if (moved && (answer.code != "AuthorizationHeaderMalformed" || !other_region(answer).empty())) {
    return elsewhere(settings, answer, subject).with_native(native);
  }
  for (const auto& meaning : meanings) {
    if (answer.code != meaning.code) continue;
    return Error(meaning.kind, cat(subject, ": ", meaning.text))
        .with_native(native)
        .with_exit(meaning.exit)
        .with_hint(std::string(meaning.hint));
  }
  if (answer.status == 401 || answer.status == 403) {
    return Error(ErrorKind::denied, cat(subject, ": not allowed (", said(answer), ")"))
        .with_native(native)
        .with_hint(
            "the access key needs s3:PutObject, s3:GetObject and s3:ListBucket here, and "
            "s3:DeleteObject to prune");
  }
  if (answer.status == 501) {
    return Error(ErrorKind::unsupported,
                 cat(subject, ": the service cannot do this (", said(answer), ")"))
        .with_native(native);
  }
  return Error(ErrorKind::unavailable, cat(subject, ": an unexpected answer: ", said(answer)))
      .with_native(native)
      .with_exit(ExitCode::store_unreachable)
      .with_hint(
          "is the endpoint that of an S3 service, and the bucket in the right style "
          "(s3: {style: path} or host)?");
}

}  // namespace lb
