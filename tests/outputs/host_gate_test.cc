#include "outputs/host_gate.h"

#include <vector>

#include <catch2/catch.hpp>

namespace agent {
namespace {

using Result = HostGate::Result;

TEST_CASE("host gate: after failures in a row only one probes, in turn", "[host_gate]") {
  std::vector<HostGate::Key> admitted;
  HostGate gate([&](HostGate::Key key) { admitted.push_back(key); });
  const int lanes[5] = {};
  for (const int& lane : lanes)
    CHECK(gate.Enter(&lane));  // No limit while all is well.
  for (int i = 0; i < 5; ++i)
    CHECK_FALSE(gate.Leave(Result::kHostDown));
  CHECK(gate.limited());

  CHECK(gate.Enter(&lanes[0]));
  CHECK_FALSE(gate.Enter(&lanes[1]));
  CHECK_FALSE(gate.Enter(&lanes[2]));
  gate.Leave(Result::kHostDown);

  CHECK(admitted == std::vector<HostGate::Key>{&lanes[1]});
  gate.Forget(&lanes[2]);
  gate.Leave(Result::kHostDown);
  CHECK(admitted.size() == 1);
}

TEST_CASE("host gate: recovery lets in 2, 4, 8 and then all", "[host_gate]") {
  int admitted = 0;
  HostGate gate([&](HostGate::Key) { ++admitted; });
  const int lanes[200] = {};
  for (int i = 0; i < 3; ++i)
    gate.Enter(&lanes[i]);
  for (int i = 0; i < 3; ++i)
    gate.Leave(Result::kHostDown);
  for (const int& lane : lanes)
    gate.Enter(&lane);

  CHECK(gate.Leave(Result::kHostUp));  // Recovered: said once.
  CHECK(admitted == 2);
  CHECK_FALSE(gate.Leave(Result::kHostUp));
  CHECK(admitted == 5);  // Limit 4: one of two has left, three came.
  for (int i = 0; i < 10; ++i)
    gate.Leave(Result::kHostUp);
  CHECK_FALSE(gate.limited());
  CHECK(admitted == 199);
}

TEST_CASE("host gate: single failures among successes close nothing", "[host_gate]") {
  HostGate gate([](HostGate::Key) {});
  const int lane = 0;
  for (int i = 0; i < 20; ++i) {
    CHECK(gate.Enter(&lane));
    gate.Leave(i % 3 == 2 ? Result::kHostUp : Result::kHostDown);
  }
  CHECK_FALSE(gate.limited());
}

}  // namespace
}  // namespace agent
