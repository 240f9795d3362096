// Evidence: a signed statement for each drill, so that a report can be shown to somebody who
// trusts neither the repository nor who keeps it. The statement is a JSON text that names the
// digests of the drill's record and of its report.json, and the statement before it: whoever takes
// one out of the middle leaves a hole that shows. The newest one can be taken away unnoticed by
// who has the repository alone: that is seen by comparing with a copy, or with a bundle kept
// elsewhere. Signature: Ed25519 (RFC 8032) over the bytes of the statement.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "foundation/base/result.h"
#include "foundation/base/time.h"
#include "foundation/crypto/signature.h"
#include "model/record/drill_record.h"
#include "storage/repo/repository.h"

namespace lb::drill {

struct Evidence {
  std::string statement;  // exactly as signed
  std::string signature;  // 128 hex digits
  // Of the statement.
  std::string id, drill, verdict;  // of the drill
  std::string record_sha256, report_sha256;
  std::string previous, previous_sha256;  // id and digest of the statement before; empty: the first
  std::uint64_t count = 1;                // of statements up to this one
  std::string key;                        // public, 64 hex digits
  std::string trouble;                    // it could not be read: why; all else is empty
};

// invalid unless the text is 64 hex digits, as `lifeboat person key` writes them.
Result<Secret> signing_seed(const Secret& text);

// `known`: all that are in the repository, oldest first.
Evidence sign_drill(const Secret& seed, const record::DrillRecord& record,
                    const std::string& repository, const std::vector<Evidence>& known);

// Records of kind "evidence". Reading gives the oldest first; what cannot be read has `trouble`.
Status put_evidence(repo::Repository& repository, const Evidence& evidence);
Result<std::vector<Evidence>> read_evidence(repo::Repository& repository);

// The key as others' tools read it (RFC 8410), for openssl pkeyutl -verify -rawin.
std::string public_key_pem(const std::string& key);

struct EvidenceFinding {
  std::string id, drill;  // of the drill
  bool good = false;
  std::string text;  // "PASS, signed", or what is wrong
};

// Each drill of the log and each statement, oldest first. `key`: the public key that is trusted.
// A statement by another key, over another record, or without its predecessor is not good, nor is
// a drill without one once the first was signed.
Result<std::vector<EvidenceFinding>> judge_evidence(repo::Repository& repository,
                                                    const std::string& key);

}  // namespace lb::drill
