// What is said about files once they have been looked at.

#pragma once

#include "agent/doctor/finding.h"
#include "agent/doctor/subject.h"
#include "agent/doctor/survey.h"
#include "agent/doctor/system.h"

namespace agent::doctor {

void ReportFiles(const Subject& subject, const Survey& survey, const Group& group);
// Limits of inotify against the folders to be watched.
void ReportInotify(const System& system, const Survey& survey, const Group& group);
// The limit of open files against those that match.
void ReportDescriptors(const System& system, const Survey& survey, const Group& group);

}  // namespace agent::doctor
