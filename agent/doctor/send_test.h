// -send-test: an entry for every output that can be asked for it again.

#pragma once

#include "agent/doctor/finding.h"
#include "agent/doctor/subject.h"

namespace agent::doctor {

// Pushes one entry to each Loki and Elasticsearch, which stays there, and asks for it.
void SendTestEntries(const Subject& subject, Findings& findings);

}  // namespace agent::doctor
