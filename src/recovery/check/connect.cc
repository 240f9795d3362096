// connect: a restored store, a service or a URL accepts a connection. What refuses it fails; what
// could not be asked is an error.
#include <algorithm>

#include "foundation/base/text.h"
#include "foundation/sys/http_probe.h"
#include "model/plan/values.h"
#include "recovery/check/http_request.h"
#include "recovery/check/session.h"

namespace lb::check {

namespace {

constexpr Micros answer_limit = Seconds(30);
constexpr Micros connection_limit = Seconds(10);

class Connecting {
 public:
  explicit Connecting(const Scope& scope) : scope_(scope) {}

  Status database(const CheckedStore& store) {
    out_.expected = "a connection that answers SELECT 1";
    auto began = now();
    auto connection = connect(scope_, store);
    if (!connection.ok()) return not_opened(store.name, connection.error());
    auto answer = (*connection)->query("SELECT 1");
    if (!answer.ok()) return not_opened(store.name, answer.error());
    bool right =
        answer->rows.size() == 1 && answer->rows[0].size() == 1 && answer->rows[0][0] == "1";
    out_.examined = 1;
    out_.got = right ? "answered" : "another answer than 1";
    if (!right) out_.fail(cat(store.name, " answers SELECT 1 with something else"));
    out_.evidence.add(cat(store.name, ": PostgreSQL ", (*connection)->server_version() / 10000,
                          store.live ? " (live)" : " (restored copy)", " answered SELECT 1 in ",
                          human_duration(now() - began)));
    return {};
  }

  Status folder(const CheckedStore& store) {
    out_.expected = "a root that can be listed";
    if (store.folder.empty()) {
      return Error(ErrorKind::invalid, cat("where the files of ", store.name, " are is not known"));
    }
    // Through a link too, as those who use the tree would.
    auto listed = scope_.context.world.files.list(path_join(store.folder, "."));
    bool gone = !listed.ok() && listed.error().kind() == ErrorKind::not_found;
    if (!listed.ok() && !gone) return std::move(listed).take_error();
    if (gone) return refused(store.name, listed.error());
    out_.examined = 1;
    out_.got = cat(listed->size(), " entries in its root");
    out_.evidence.add(cat(store.name, ": ", out_.got));
    return {};
  }

  Status url(const std::string& name, const std::string& url) {
    out_.expected = "an answer of HTTP, whatever its status";
    HttpRequest request;
    request.url = url;
    request.limit = answer_limit;
    auto shown = shown_url(url);
    auto answer = scope_.context.http.send(request);
    if (!answer.ok()) return not_reached(name.empty() ? shown : cat(name, " at ", shown), answer);
    out_.examined = 1;
    out_.got = cat("status ", answer->status, " in ", human_duration(answer->took));
    out_.evidence.add(cat(name.empty() ? "" : cat(name, " at "), "GET ", shown, ": ", out_.got));
    return {};
  }

  Status tcp(const std::string& text) {
    out_.expected = "an accepted connection";
    auto address = LB_TRY(plan::parse_tcp(text));
    if (!scope_.context.sandboxed) {
      return Error(ErrorKind::unsupported,
                   cat(text,
                       " is asked only in the sandbox of a drill; elsewhere an http:// URL or "
                       "a store can be"));
    }
    auto answer = scope_.context.http.send(probe_of(address.host, address.port, connection_limit));
    if (!answer.ok()) return not_reached(text, answer);
    out_.examined = 1;
    out_.got = cat("accepted in ", human_duration(answer->took));
    out_.evidence.add(cat(text, ": ", out_.got));
    return {};
  }

  Finding finish() { return std::move(out_); }

 private:
  Micros now() const { return scope_.context.world.clock.steady(); }

  Status refused(const std::string& name, const Error& error) {
    out_.examined = 1;
    out_.got = "no connection";
    out_.evidence.problem(cat(name, ": ", error.text()));
    out_.fail(cat(name, " accepts no connection: ", error.text()));
    return {};
  }

  // A server that is not there or does not let in. The wrong server, or an address that cannot be
  // read, says nothing about it.
  Status not_opened(const std::string& name, const Error& error) {
    bool unread = error.kind() == ErrorKind::invalid && error.native().empty();
    if (error.exit_code() != ExitCode::store_unreachable || unread) return Error(error);
    return refused(name, error);
  }

  Status not_reached(const std::string& name, const Result<HttpAnswer>& answer) {
    if (!refused_by_network(answer.error())) return answer.status();
    return refused(name, answer.error());
  }

  const Scope& scope_;
  Finding out_;
};

Result<std::string> url_of_service(const std::string& name, const CheckContext& context) {
  auto found = context.service_urls.find(name);
  if (found == context.service_urls.end()) {
    return Error(ErrorKind::invalid,
                 cat(name, " is no store that is restored here, and no service that is known"));
  }
  if (found->second.empty()) {
    return Error(ErrorKind::invalid, cat("where service ", name,
                                         " listens is not known: its target has no url, or starts "
                                         "several services; write the URL instead"));
  }
  return found->second;
}

}  // namespace

Result<Finding> check_connect(const plan::CheckConnect& what, const Scope& scope) {
  LB_TRY(not_stopped(scope.context));
  Connecting connecting(scope);
  const auto& stores = scope.context.stores;
  auto store = std::find_if(stores.begin(), stores.end(),
                            [&](const auto& each) { return each.name == what.to; });
  if (what.to.starts_with("tcp://")) {
    LB_TRY(connecting.tcp(what.to));
  } else if (what.to.find("://") != std::string::npos) {
    LB_TRY(connecting.url("", what.to));
  } else if (store == stores.end()) {
    auto url = LB_TRY(url_of_service(what.to, scope.context));
    LB_TRY(connecting.url(what.to, url));
  } else if (store->kind == plan::StoreKind::postgres) {
    LB_TRY(connecting.database(*store));
  } else if (store->kind == plan::StoreKind::files) {
    LB_TRY(connecting.folder(*store));
  } else {
    return Error(ErrorKind::unsupported,
                 cat("not supported yet: connect to a ", plan::name_of(store->kind), " store"));
  }
  return connecting.finish();
}

}  // namespace lb::check
