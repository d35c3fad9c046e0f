// What the tests of the doctor's checks have in common.

#pragma once

#include <string>
#include <vector>

#include "agent/doctor/finding.h"
#include "agent/doctor/subject.h"

namespace agent::doctor {

// Writes a file, its folders included.
void WriteFile(const std::string& path, const std::string& content);

// The first finding with that check; an empty one where there is none.
Finding FindingOf(const Findings& findings, const std::string& check);
// "warning inotify.watches", … in order: all but what is ok.
std::vector<std::string> Complaints(const Findings& findings);

// A subject that reads files of these patterns, all of one job.
Subject SubjectOf(const std::vector<std::string>& patterns);

// Runs the check with the rights of a user that has none, if the test has root's; nothing that it
// changes outlives it. What was found is put into `findings`.
using Check = void (*)(const Subject&, Findings&);
void RunAsNobody(const Subject& subject, Check check, Findings& findings);

}  // namespace agent::doctor
