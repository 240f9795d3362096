#include "stores/postgres/superuser.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "stores/postgres/wal_bytes.h"

namespace lb::pg {

namespace {

constexpr std::uint32_t map_magic = 0x592717, authid_oid = 1260, bootstrap_oid = 10;
constexpr std::size_t page_bytes = 8192, page_header_size = 24, name_bytes = 64;
constexpr std::uint64_t authid_bytes_max = 64 << 20;

// The name in one tuple when it is a row of the bootstrap superuser, else empty.
std::string name_in_tuple(ByteView tuple) {
  if (tuple.size() < 24) return {};
  std::size_t data = tuple[22];
  if (data < 24 || tuple.size() < data + 4 + name_bytes) return {};
  if (load<std::uint32_t>(&tuple[data]) != bootstrap_oid) return {};
  auto name = tuple.subspan(data + 4, name_bytes);
  auto end = std::find(name.begin(), name.end(), std::uint8_t{0});
  return std::string(name.begin(), end);
}

std::string name_in_page(ByteView page) {
  std::string found;
  std::size_t lower_end = std::min<std::size_t>(load<std::uint16_t>(&page[12]), page.size());
  for (std::size_t at = page_header_size; at + 4 <= lower_end; at += 4) {
    auto pointer = load<std::uint32_t>(&page[at]);
    auto offset = pointer & 0x7fff;
    auto state = (pointer >> 15) & 3;
    auto length = pointer >> 17;
    if (state != 1 || offset + length > page.size()) continue;
    auto name = name_in_tuple(page.subspan(offset, length));
    if (!name.empty()) found = name;
  }
  return found;
}

}  // namespace

Result<std::uint32_t> authid_filenode(ByteView map) {
  WalCursor cursor(map);
  auto magic = cursor.take<std::uint32_t>();
  auto count = cursor.take<std::uint32_t>();
  if (!cursor.ok() || magic != map_magic || count > 64) {
    return Error(ErrorKind::corrupt, "global/pg_filenode.map is not a relation map");
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    auto oid = cursor.take<std::uint32_t>();
    auto filenode = cursor.take<std::uint32_t>();
    if (cursor.ok() && oid == authid_oid) return filenode;
  }
  return Error(ErrorKind::corrupt, "global/pg_filenode.map does not name pg_authid");
}

std::string superuser_in_pages(ByteView pages) {
  std::string found;
  for (std::size_t at = 0; at + page_bytes <= pages.size(); at += page_bytes) {
    auto name = name_in_page(pages.subspan(at, page_bytes));
    if (!name.empty()) found = name;
  }
  return found;
}

Result<std::string> bootstrap_superuser(Files& files, const std::string& data_folder) {
  auto global = path_join(data_folder, "global");
  auto map = LB_TRY(read_file(files, path_join(global, "pg_filenode.map"), page_bytes));
  auto filenode = LB_TRY(authid_filenode(map));
  auto pages =
      LB_TRY(read_file(files, path_join(global, std::to_string(filenode)), authid_bytes_max));
  auto name = superuser_in_pages(pages);
  if (name.empty()) return Error(ErrorKind::not_found, "no superuser in the restored pg_authid");
  return name;
}

}  // namespace lb::pg
