// http: a request to a restored service, or one for each row of a query.
#include "foundation/base/text.h"
#include "recovery/check/http_answer.h"
#include "recovery/check/http_request.h"
#include "recovery/check/session.h"

namespace lb::check {

namespace {

constexpr std::size_t row_batch = 200;
// After that many requests without any answer the service is gone; asking on would only wait.
constexpr std::uint64_t unanswered_max = 3;

class Caller {
 public:
  Caller(const plan::CheckHttp& what, const Scope& scope) : what_(what), scope_(scope) {
    out_.expected = expected_text(what);
  }

  // One request. An error: it could not be sent, or there was no answer.
  Status call(const RowValues* row) {
    auto request = LB_TRY(build_request(what_, scope_, Placeholders{scope_.saved, row}));
    auto name = cat(request.method, " ", shown_url(request.url));
    auto answer = scope_.context.http.send(request);
    if (!answer.ok()) return unanswered(name, request, answer.error());
    ++out_.examined;
    out_.got = answer_text(*answer);
    auto problems = LB_TRY(unmet(what_, *answer));
    if (problems.empty()) LB_TRY(save(*answer, problems));
    if (problems.empty()) {
      out_.evidence.add(cat(name, ": ", out_.got));
      return {};
    }
    ++failed_;
    out_.evidence.problem(cat(name, ": ", out_.got));
    out_.evidence.problem(cat("  ", join(problems, "; ")));
    if (!answer->body.empty()) out_.evidence.problem(cat("  answer: ", shown_body(answer->body)));
    out_.fail(cat(name, ": ", join(problems, "; ")));
    return {};
  }

  Status call_each_row() {
    const auto* store =
        LB_TRY(store_of(scope_.context, what_.rows_store, plan::StoreKind::postgres));
    auto connection = LB_TRY(connect(scope_, *store));
    LB_TRY(begin_snapshot(*connection));
    auto reader = LB_TRY(
        RowReader::open(*connection, "lifeboat_rows", bare_statement(what_.rows_sql), row_batch));
    while (true) {
      auto rows = LB_TRY(reader.next());
      if (rows.empty()) break;
      LB_TRY(call_batch(reader.columns(), rows));
    }
    summarise_rows();
    return {};
  }

  Finding finish() { return std::move(out_); }

 private:
  Status unanswered(const std::string& name, const HttpRequest& request, const Error& error) {
    if (error.kind() == ErrorKind::timeout && what_.within && request.limit > *what_.within) {
      ++out_.examined;
      ++failed_;
      out_.got = cat("no answer in ", human_duration(request.limit));
      out_.evidence.problem(cat(name, ": ", out_.got));
      out_.fail(cat(name, ": no answer within ", format_duration(*what_.within)));
      return {};
    }
    ++unanswered_;
    out_.evidence.problem(cat(name, ": ", error.text()));
    return Error(error).context(name);
  }

  Status save(const HttpAnswer& answer, std::vector<std::string>& problems) {
    auto values = values_to_save(what_, answer);
    if (!values.ok()) {
      if (values.error().kind() != ErrorKind::not_found) return std::move(values).take_error();
      problems.push_back(values.error().message());
      return {};
    }
    for (const auto& [name, value] : *values) {
      if (scope_.credentials.contains(name) || looks_secret(name)) scope_.redactor.add(value);
      scope_.saved[name] = value;
    }
    return {};
  }

  Status call_batch(const std::vector<std::string>& columns,
                    const std::vector<std::vector<std::optional<std::string>>>& rows) {
    for (const auto& row : rows) {
      LB_TRY(not_stopped(scope_.context));
      ++rows_;
      RowValues values;
      for (std::size_t i = 0; i < columns.size(); ++i) values[columns[i]] = row.at(i);
      auto called = call(&values);
      if (called.ok()) continue;
      if (called.error().kind() == ErrorKind::not_found) {
        ++failed_;
        out_.evidence.problem(cat("row ", rows_, ": ", called.error().message()));
        out_.fail(cat("row ", rows_, ": ", called.error().message()));
      } else if (unanswered_ >= unanswered_max || unanswered_ == 0) {
        return called;
      } else {
        out_.error(called.error().text());
      }
    }
    return {};
  }

  void summarise_rows() {
    out_.expected = cat(out_.expected, " for every row");
    out_.got = cat(rows_ - failed_ - unanswered_, " of ", rows_, " rows as expected");
    if (rows_ == 0) out_.fail("the query gave no row: nothing was examined");
  }

  const plan::CheckHttp& what_;
  const Scope& scope_;
  Finding out_;
  std::uint64_t rows_ = 0, failed_ = 0, unanswered_ = 0;
};

}  // namespace

Result<Finding> check_http(const plan::CheckHttp& what, const Scope& scope) {
  LB_TRY(not_stopped(scope.context));
  Caller caller(what, scope);
  if (what.rows_sql.empty()) {
    LB_TRY(caller.call(nullptr));
  } else {
    LB_TRY(caller.call_each_row());
  }
  return caller.finish();
}

}  // namespace lb::check
