// A loopback port for a server of a test, and whether something answers there.
#pragma once

namespace lb::test {

// Freed again before the server takes it: starting it fails loudly in the rare case that somebody
// was quicker.
int free_port();
bool answers(int port);

}  // namespace lb::test
