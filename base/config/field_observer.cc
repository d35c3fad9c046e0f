#include "base/config/field_observer.h"

namespace agent {
namespace {

thread_local FieldObserver* current = nullptr;

}  // namespace

ScopedFieldObserver::ScopedFieldObserver(FieldObserver& observer) : before_(current) {
  current = &observer;
}

ScopedFieldObserver::~ScopedFieldObserver() {
  current = before_;
}

FieldObserver* CurrentFieldObserver() {
  return current;
}

}  // namespace agent
