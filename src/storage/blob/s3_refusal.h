// What the refusals of S3 engines mean, as one sentence with what to do next. Pure.
#pragma once

#include <string>

#include "storage/blob/s3_client.h"

namespace lb {

// Sets code and message: only what a refusal says, never more than a screen of it.
void read_refusal(S3Answer& answer);

// `what` is the act that was refused: "put p/1". Never holds a secret.
Error explain_refusal(const S3Settings& settings, const S3Answer& answer, const std::string& what);

}  // namespace lb
