#include <array>
#include <vector>

#include "pipeline/redact/detector.h"

namespace agent::redact {

std::span<const Detector> AllDetectors() {
  static const std::vector<Detector> kAll = [] {
    std::vector<Detector> all;
    // A token in a header may be one that a more telling detector knows.
    for (const auto& family :
         {EmailDetectors(), IpAddressDetectors(), PaymentCardDetectors(), IbanDetectors(),
          JwtDetectors(), CloudKeyDetectors(), ServiceTokenDetectors(), PrivateKeyDetectors(),
          HttpAuthDetectors()}) {
      all.insert(all.end(), family.begin(), family.end());
    }
    return all;
  }();
  return kAll;
}

void AppendAsItIs(std::string_view value, std::string& out) {
  out += value;
}

}  // namespace agent::redact
