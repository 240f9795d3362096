// What one line of a service's log tells: an error, a warning, or neither. Internal to this
// folder, pure.
//
// The level that a line declares first decides alone, whatever its text says: a "level" or
// "severity" in JSON or key=value form, or a level word in a place where levels stand. ERROR in
// capital letters counts anywhere as a word; "error" in small ones only at the start, in brackets
// or before a colon. "0 errors" and "no error" are none. Without a level, the marks of a crash
// count: Traceback, "panicked at", a line that starts with SomeError: or some.Exception:.
#pragma once

#include <string>
#include <string_view>

namespace lb::check {

enum class LineLevel { none, warning, error };

LineLevel level_of(std::string_view line);

// The line for evidence: without colours and control bytes, and without what looks like a secret
// (password=…, "token": "…", Bearer …, user and password of a URL, signed tokens).
std::string shown_line(std::string_view line);

}  // namespace lb::check
