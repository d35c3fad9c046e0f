#include "base/loop.h"

#include <chrono>
#include <memory>
#include <thread>

#include <catch2/catch.hpp>

namespace agent {

TEST_CASE("loop: runs what other threads post, all of it and in order", "[loop]") {
  Loop loop;
  int next = 0;
  bool in_order = true;
  std::thread poster([&] {
    for (int i = 0; i < 10000; ++i) {
      loop.Post([&, i] { in_order = in_order && i == next++; });
    }
    loop.Stop();
  });

  loop.Run();
  poster.join();

  CHECK(next == 10000);
  CHECK(in_order);
}

TEST_CASE("timer: may be destroyed by its own callback", "[loop]") {
  Loop loop;
  auto timer = std::make_unique<Timer>(loop);
  timer->StartOnce(std::chrono::milliseconds(0), [&] {
    timer.reset();
    loop.Stop();
  });

  loop.Run();

  CHECK(timer == nullptr);
}

TEST_CASE("timer: repeats until it is stopped", "[loop]") {
  Loop loop;
  Timer timer(loop);
  int ticks = 0;
  timer.StartRepeating(std::chrono::milliseconds(1), [&] {
    if (++ticks == 3) {
      timer.Stop();
      loop.Stop();
    }
  });

  loop.Run();

  CHECK(ticks == 3);
  CHECK_FALSE(timer.active());
}

}  // namespace agent
