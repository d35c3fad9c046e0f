// Certificates that a test makes for itself, also such as nobody should trust.

#pragma once

#include <string>

namespace agent::doctor {

struct TestCertificate {
  std::string certificate;  // Paths of PEM files; it is its own authority.
  std::string key;
};

// For 127.0.0.1 or another name ("IP:127.0.0.1", "DNS:example.org"), valid from now + `from_days`
// to now + `to_days`. In `folder`.
TestCertificate MakeCertificate(const std::string& folder, const std::string& name_for,
                                int from_days, int to_days);

}  // namespace agent::doctor
