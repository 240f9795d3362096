// LaidOut: a snapshot of a test written to a plain folder with its log in pg_wal, as
// pg_verifybackup wants it. For tests only.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "storage/repo/repository.h"
#include "stores/postgres/source.h"

namespace lb::pg {

inline void write_test_file(const std::string& path, ByteView bytes) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
}

inline void lay_out_for_test(repo::Repository& repository, repo::SnapshotReader& reader,
                             const std::string& folder) {
  auto cursor = reader.rows().take();
  for (auto row = cursor->next().take(); row; row = cursor->next().take()) {
    const std::string path = folder + "/" + row->key;
    const FileAttributes attributes = decode_attributes(row->attributes).take();
    if (attributes.kind == FileAttributes::Kind::directory) {
      std::filesystem::create_directories(path);
    } else {
      write_test_file(path, reader.read(*row, 0, row->size).take());
    }
  }
  write_test_file(folder + "/backup_manifest", *reader.attachment(attachment_manifest).take());
  const SnapshotDetails details = decode_details(reader.info().meta.details).take();
  for (const repo::LogInfo& info : repository.logs(details.log_id).take()) {
    Buffer bytes = repository.get_log(info.name).take();
    bytes.resize(details.segment_bytes, 0);
    const std::string name =
        segment_name(info.name.timeline, info.name.segment, details.segment_bytes);
    write_test_file(folder + "/pg_wal/" + name, bytes);
  }
}

}  // namespace lb::pg
