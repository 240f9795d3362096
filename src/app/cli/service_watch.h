// ServiceWatch: what is measured of a service that runs, for the bounds of alerts: that are called
// response_time and error_rate. Asks only what changes nothing.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "foundation/base/time.h"
#include "foundation/sys/clock.h"
#include "foundation/sys/http.h"
#include "model/plan/plan.h"
#include "operations/watch/finding.h"

namespace lb::cli {

// What is asked of the service of a target: the paths of the plan's http checks that are read by
// GET or HEAD without a token, a header, a body or a variable; without such the target's url alone.
struct ServiceRequest {
  std::string method, url;
};
std::vector<ServiceRequest> requests_to(const plan::Plan& plan, const plan::Target& target);

struct ServiceLook {
  std::size_t asked = 0, failed = 0;  // failed: no answer, or a status of 500 and above
  std::size_t answered = 0;
  std::optional<Micros> typical;  // half of all requests were answered within; nullopt: fewer were
  std::string trouble;            // of the last one that failed
};
// Each several times, one after the other; what hangs ends it early.
ServiceLook look_at_service(Http& http, const Clock& clock,
                            const std::vector<ServiceRequest>& requests, std::stop_token stop);

// `host`: this one; a service that is away from here may well be there for others.
std::vector<watch::Finding> findings_of(const ServiceLook& look, const std::string& target,
                                        const std::string& host);
std::string text_of(const ServiceLook& look);

}  // namespace lb::cli
