#include "base/memory_budget.h"

#include <utility>

#include <catch2/catch.hpp>

namespace agent {

TEST_CASE("budget: what is taken of a part is taken of the whole", "[budget]") {
  MemoryBudget whole(100);
  MemoryBudget part(40, &whole);

  MemoryBudget::Reservation held = part.Reserve(40);
  CHECK(part.full());
  CHECK_FALSE(whole.full());
  CHECK(whole.used() == 40);
  held.Resize(100);
  CHECK(whole.full());
  held.Reset();

  CHECK(part.used() == 0);
  CHECK(whole.used() == 0);
}

TEST_CASE("budget: full at its limit, and says when there is room again", "[budget]") {
  MemoryBudget budget(100);
  int woken = 0;
  budget.NotifyWhenFree([&woken] { ++woken; });

  MemoryBudget::Reservation first = budget.Reserve(60);
  CHECK_FALSE(budget.full());
  MemoryBudget::Reservation second = budget.Reserve(60);  // What is read must be kept.
  CHECK(budget.full());
  CHECK(budget.used() == 120);

  second.Reset();
  CHECK(woken == 1);
  first.Resize(10);
  CHECK(woken == 1);
  CHECK(budget.used() == 10);
}

TEST_CASE("budget: a moved reservation is given back once", "[budget]") {
  MemoryBudget budget(100);
  {
    MemoryBudget::Reservation first = budget.Reserve(50);
    MemoryBudget::Reservation second = std::move(first);
    MemoryBudget::Reservation third = budget.Reserve(10);
    third = std::move(second);
    CHECK(budget.used() == 50);
  }
  CHECK(budget.used() == 0);
}

}  // namespace agent
