// IP packets that try to leave a sandbox: where to, and the answer that refuses them at once (a TCP
// reset or an ICMP "unreachable"). Pure. Private to foundation/sys.
#pragma once

#include <optional>
#include <string>

#include "foundation/base/bytes.h"

namespace lb {

// "10.1.2.3:443 tcp"; nullopt for the kernel's own chatter (multicast reports, router search) and
// for what is no attempt (TCP packets that open nothing).
std::optional<std::string> outbound_destination(ByteView packet);

// The packet to hand back; empty when there is nothing sensible to say.
Buffer refusal_of(ByteView packet);

}  // namespace lb
