// JSON texts with a list so long that its items must not all stand in memory: each is handed over
// as soon as it is read. As strict as parse_json, and in the same place. Not thread-safe.
#pragma once

#include <functional>

#include "foundation/codec/json.h"

namespace lb {

// `around`: what the object that holds the list held before it, in the order of the text.
using EachItem = std::function<Status(const Json::Object& around, Json item)>;

// The items of every array that is the member `member` of an object, at any depth, go to `each`; in
// the result such arrays are empty. Errors: as of parse_json, or the first of `each`. Items handed
// over before an error came from a text that is not whole: who keeps them must drop them then.
Result<Json> parse_json_items(std::string_view text, std::string_view member, const EachItem& each);

// The same of a text that comes in pieces, so that it need not stand in memory either. `next` gives
// the next one, which must live until it is called again; empty: the end. Its error is returned as
// it is, and others name the byte.
using NextPiece = std::function<Result<std::string_view>()>;
Result<Json> parse_json_items(const NextPiece& next, std::string_view member, const EachItem& each);

}  // namespace lb
