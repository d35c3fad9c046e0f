# The manual page: what is written by hand, and in the place of @REFERENCE@ what the program says of itself.
cmake_minimum_required(VERSION 3.25) # Before, @NAME@ would be replaced here already.
file(READ "${TEMPLATE}" page)
file(READ "${REFERENCE}" reference)
string(STRIP "${reference}" reference)
string(REPLACE "@VERSION@" "${VERSION}" page "${page}")
string(REPLACE "@REFERENCE@" "${reference}" page "${page}")
file(WRITE "${OUTPUT}" "${page}")
