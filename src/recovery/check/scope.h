// Scope: what one check is given to work with, and the store it asks. Internal to this folder.
#pragma once

#include <map>
#include <set>
#include <string>

#include "recovery/check/check.h"
#include "recovery/check/finding.h"
#include "recovery/check/redactor.h"

namespace lb::check {

struct Scope {
  const plan::Check& check;
  const CheckContext& context;
  std::map<std::string, std::string>& saved;  // by http checks
  Redactor& redactor;
  const std::set<std::string>& credentials;  // saved names that serve as a credential in this suite
};

// The store called `name`; without a name the only one of that kind in the drill. invalid when
// there is none, more than one, or it is of another kind.
Result<const CheckedStore*> store_of(const CheckContext& context, const std::string& name,
                                     plan::StoreKind kind);

Status not_stopped(const CheckContext& context);

// One function a kind. An error means the check could not run; it is never a pass.
Result<Finding> check_tables(const plan::CheckTables& what, const Scope& scope);
Result<Finding> check_count(const plan::CheckCount& what, const Scope& scope);
Result<Finding> check_fresh(const plan::CheckFresh& what, const Scope& scope);
Result<Finding> check_foreign_keys(const plan::CheckForeignKeys& what, const Scope& scope);
Result<Finding> check_amcheck(const plan::CheckAmcheck& what, const Scope& scope);
Result<Finding> check_sql(const plan::CheckSql& what, const Scope& scope);
Result<Finding> check_equal(const plan::CheckEqual& what, const Scope& scope);
Result<Finding> check_files(const plan::CheckFiles& what, const Scope& scope);
Result<Finding> check_references(const plan::CheckReferences& what, const Scope& scope);
Result<Finding> check_http(const plan::CheckHttp& what, const Scope& scope);
Result<Finding> check_connect(const plan::CheckConnect& what, const Scope& scope);
Result<Finding> check_cron(const plan::CheckCron& what, const Scope& scope);
Result<Finding> check_logs(const plan::CheckLogs& what, const Scope& scope);
Result<Finding> check_entropy(const plan::CheckEntropy& what, const Scope& scope);

}  // namespace lb::check
