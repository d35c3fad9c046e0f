# The Debian package: what CPack has to know. Debian wants more in a package than an installation has.

set(AGENT_PACKAGE_MAINTAINER "Log Agent maintainers <maintainers@log-agent.invalid>"
    CACHE STRING "Who answers for the package: Name <address>")
set(AGENT_PACKAGE_RELEASE 1 CACHE STRING "Debian's part of the version")

install(FILES "${made}/changelog.Debian.gz" "${CMAKE_CURRENT_LIST_DIR}/copyright" DESTINATION "${doc}" COMPONENT debian
        EXCLUDE_FROM_ALL)
install(FILES "${CMAKE_CURRENT_LIST_DIR}/log-agent.lintian" DESTINATION "${CMAKE_INSTALL_DATADIR}/lintian/overrides"
        RENAME log-agent COMPONENT debian EXCLUDE_FROM_ALL)

set(CPACK_PACKAGE_NAME log-agent)
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
set(CPACK_PACKAGE_CONTACT "${AGENT_PACKAGE_MAINTAINER}")
set(CPACK_GENERATOR DEB)
set(CPACK_SET_DESTDIR ON) # The configuration has an absolute path.
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_CMAKE_PROJECTS "${CMAKE_BINARY_DIR};log-agent;ALL;/;${CMAKE_BINARY_DIR};log-agent;debian;/")
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ
                                                WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE "${AGENT_PACKAGE_RELEASE}")
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
    "ships logs to Loki, Elasticsearch and Logstash
Follows the logs of a host: files, containers, the systemd journal, syslog,
and what others push. Runs each line through a pipeline of stages, and
delivers it to one or more receivers.
.
Reads the configuration and the positions of Promtail unchanged. What has
been read counts as delivered once a receiver has acknowledged it.")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    "${CMAKE_CURRENT_LIST_DIR}/conffiles;${CMAKE_CURRENT_LIST_DIR}/postinst;${CMAKE_CURRENT_LIST_DIR}/prerm;${CMAKE_CURRENT_LIST_DIR}/postrm"
)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
