#include "stores/postgres/recovery_config.h"

#include <array>

#include "foundation/base/text.h"
#include "stores/postgres/recovery_settings.h"

namespace lb::pg {

namespace {

constexpr std::size_t configuration_max = 4 << 20, control_bytes_max = 64 << 10;
constexpr std::array configuration_files = {"postgresql.conf", "postgresql.auto.conf",
                                            "pg_hba.conf", "pg_ident.conf"};

std::string aside(const std::string& path) { return path + ".restored"; }

Status write_owned(Files& files, const std::string& path, std::string_view text,
                   const FileInfo& folder) {
  LB_TRY(write_durably(files, path, view_of(text), 0600));
  auto info = LB_TRY(files.info(path));
  if (info.uid == folder.uid) return {};
  return files.set_owner(path, folder.uid, folder.gid);
}

// A second attempt on the same folder finds the restored files aside already and our own in place.
Status put_aside(Files& files, const std::string& folder) {
  for (const char* name : configuration_files) {
    auto path = path_join(folder, name);
    auto there = LB_TRY(path_exists(files, path));
    auto is_aside = LB_TRY(path_exists(files, aside(path)));
    if (there && !is_aside) LB_TRY(files.rename(path, aside(path)));
  }
  return {};
}

Result<std::string> restored_text(Files& files, const std::string& folder, const char* name) {
  auto path = aside(path_join(folder, name));
  auto there = LB_TRY(path_exists(files, path));
  if (!there) return std::string();
  auto bytes = LB_TRY(read_file(files, path, configuration_max));
  return std::string(text_of(bytes));
}

Result<std::string> preload(Files& files, const std::string& folder) {
  auto main = LB_TRY(restored_text(files, folder, "postgresql.conf"));
  auto automatic = LB_TRY(restored_text(files, folder, "postgresql.auto.conf"));
  return needed_libraries(setting_in(cat(main, "\n", automatic), "shared_preload_libraries"));
}

}  // namespace

Status configure(World& world, const RecoveryOptions& options, const RecoveryTarget& target,
                 int server_version, const std::string& restore_command) {
  auto& files = world.files;
  auto folder = LB_TRY(files.info(options.folder));
  LB_TRY(put_aside(files, options.folder));
  ServerSettings settings;
  settings.server_version = server_version;
  settings.restore_command = restore_command;
  settings.preload = LB_TRY(preload(files, options.folder));
  auto control =
      LB_TRY(read_file(files, path_join(options.folder, "global/pg_control"), control_bytes_max));
  settings.control = LB_TRY(parse_control_limits(control));
  auto in_folder = [&](const char* name) { return path_join(options.folder, name); };
  LB_TRY(write_owned(files, in_folder("postgresql.conf"),
                     make_configuration(options, target, settings), folder));
  // Who may open the socket is decided by its folder, which only the server's user can enter.
  LB_TRY(write_owned(files, in_folder("pg_hba.conf"), "local all all trust\n", folder));
  LB_TRY(write_owned(files, in_folder("pg_ident.conf"), "", folder));
  return write_owned(files, in_folder("recovery.signal"), "", folder);
}

Status bring_back_configuration(Files& files, const std::string& folder) {
  auto owner = LB_TRY(files.info(folder));
  for (const char* name : {"postgresql.conf", "postgresql.auto.conf"}) {
    // Without a restored file (it may lie elsewhere, as on Debian) a short one with the note
    // remains.
    auto text = LB_TRY(restored_text(files, folder, name));
    auto path = path_join(folder, name);
    LB_TRY(write_owned(files, path, without_production(text), owner));
    (void)files.remove(aside(path)).ok();
  }
  for (const char* name : {"pg_hba.conf", "pg_ident.conf"}) {
    auto path = path_join(folder, name);
    auto there = LB_TRY(path_exists(files, aside(path)));
    if (there) {
      LB_TRY(files.rename(aside(path), path));
    } else if (std::string_view(name) == "pg_hba.conf") {
      LB_TRY(write_owned(files, path, "local all all peer\n", owner));
    }
  }
  return files.sync_directory(folder);
}

}  // namespace lb::pg
