// Instances: which server may write a log. A clone has its origin's system identifier, so the
// repository also records the instance: one data directory on one machine. The first push is
// admitted by itself, others by a person (`lifeboat wal admit`), and only the newest may write.
//
// An admission is a record whose name says all that must be known, because a key that may only
// write cannot read what it put: "<number>-<timeline>-<token>", 8, 8 and 32 hexadecimal digits.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "foundation/sys/world.h"
#include "storage/repo/repository.h"

namespace lb::archive {

// 32 hexadecimal digits from the machine's id, the path of the data directory and its inode. Not
// from the device: its number may change when the machine starts. `host`: where the machine has no
// id.
Result<std::string> instance_token(Files& files, const std::string& data_folder,
                                   const std::string& host);

struct Admission {
  std::uint32_t number = 0;
  std::uint32_t timeline = 0;  // may begin where it did, even before the end of its parent's log
  std::string token;
};
// Oldest first; names that are none of ours are left out.
std::vector<Admission> parse_admissions(const std::vector<std::string>& names);
std::string record_name(const Admission& admission);

// In place of a token: a timeline was admitted, and no server that pushes.
std::string no_instance();

enum class Standing { nobody, admitted, another, disputed };
// Pure. disputed: two instances were admitted at the same moment, and a person has to choose.
Standing standing_of(const std::vector<Admission>& admissions, const std::string& token);

Result<std::vector<Admission>> read_admissions(repo::Repository& repository,
                                               const std::string& log_id);

// What is written into the record for people.
struct AdmittedBy {
  std::string host, data_folder, reason;
  Timestamp at{};
};
// Admits the instance after all others. conflict when another was admitted at the same moment.
Status admit(repo::Repository& repository, const std::string& log_id, const std::string& token,
             std::uint32_t timeline, const AdmittedBy& by);

// ok when this instance may write: it is the newest, or the first of all and is admitted now.
// denied (exit 5) with what to do when another one may.
Status meet_instance(repo::Repository& repository, const std::string& log_id,
                     const std::string& token, std::uint32_t timeline, const AdmittedBy& by);

}  // namespace lb::archive
