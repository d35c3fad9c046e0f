// Fields have the names that dashboards for Logstash use (its "legacy" set), quotes included where
// it keeps them: `referrer` and `agent` of the web servers.

#include <algorithm>
#include <array>

#include "pipeline/grok/builtin.h"

namespace agent {
namespace {

constexpr auto kFormats = std::to_array<BuiltinPattern>({
    {"BIND9",
     R"(%{BIND9_TIMESTAMP:timestamp} queries: %{LOGLEVEL:loglevel}: client (?:@0x[0-9a-f]+ )?)"
     R"(%{IP:clientip}#%{POSINT:clientport:int} \([^)]*\): query: %{NOTSPACE:query} IN )"
     R"(%{DATA:querytype} \(%{IP:dns}\))"},
    {"BIND9_TIMESTAMP", R"(%{MONTHDAY}-%{MONTH}-%{YEAR} %{TIME})", "0-9"},
    {"CATALINALOG",
     R"(%{CATALINA_DATESTAMP:timestamp} %{JAVACLASS:class} %{JAVALOGMESSAGE:logmessage})"},
    {"CATALINA_DATESTAMP",
     R"(%{MONTH} %{MONTHDAY}, %{YEAR} %{HOUR}:?%{MINUTE}(?::?%{SECOND}) [AP]M)"
     R"(|%{MONTHDAY}-%{MONTH}-%{YEAR} %{TIME})",
     "0-9"},
    {"CLOUDFRONT_ACCESS_LOG",
     R"((?<timestamp>%{YEAR}-%{MONTHNUM}-%{MONTHDAY}\t%{TIME})\t%{CLOUDFRONT_EDGE:x_edge_location})"
     R"(\t(?:%{NUMBER:sc_bytes:int}|-)\t%{IPORHOST:clientip}\t%{WORD:cs_method})"
     R"(\t%{HOSTNAME:cs_host}\t%{NOTSPACE:cs_uri_stem}\t%{NUMBER:sc_status:int})"
     R"(\t%{CLOUDFRONT_CELL:referrer}\t%{CLOUDFRONT_CELL:agent}\t%{CLOUDFRONT_CELL:cs_uri_query})"
     R"(\t%{CLOUDFRONT_CELL:cookies}\t%{WORD:x_edge_result_type}\t%{NOTSPACE:x_edge_request_id})"
     R"(\t%{HOSTNAME:x_host_header}\t%{URIPROTO:cs_protocol}\t%{INT:cs_bytes:int})"
     R"(\t%{CLOUDFRONT_CELL:time_taken:float}\t%{CLOUDFRONT_CELL:x_forwarded_for})"
     R"(\t%{CLOUDFRONT_CELL:ssl_protocol}\t%{CLOUDFRONT_CELL:ssl_cipher})"
     R"(\t%{CLOUDFRONT_CELL:x_edge_response_result_type})"},
    {"CLOUDFRONT_CELL", R"([^\t\n]*)"},
    {"CLOUDFRONT_EDGE", R"([\w-]+)"},
    {"COMBINEDAPACHELOG", R"(%{HTTPD_COMBINEDLOG})"},
    {"COMMONAPACHELOG", R"(%{HTTPD_COMMONLOG})"},
    {"CRONLOG", R"(%{SYSLOGBASE} \(%{USER:user}\) %{CRON_ACTION:action} \(%{DATA:message}\))"},
    {"CRON_ACTION", R"([A-Z ]+)"},
    {"ELB_ACCESS_LOG",
     R"(%{TIMESTAMP_ISO8601:timestamp} %{NOTSPACE:elb} %{IP:clientip}:%{INT:clientport:int} )"
     R"((?:%{IP:backendip}:%{INT:backendport:int}|-) %{NUMBER:request_processing_time:float} )"
     R"(%{NUMBER:backend_processing_time:float} %{NUMBER:response_processing_time:float} )"
     R"((?:-|%{INT:response:int}) (?:-|%{INT:backend_response:int}) %{INT:received_bytes:int} )"
     R"(%{INT:bytes:int} "%{ELB_REQUEST_LINE}")"},
    {"ELB_REQUEST_LINE",
     R"(%{WORD:verb} %{ELB_URI:request}(?: HTTP/%{NUMBER:httpversion})?|%{DATA:rawrequest})"},
    {"ELB_URI", R"(%{URIPROTO:proto}://(?:%{USER}(?::[^@/\s]*)?@)?(?:%{URIHOST:urihost})?)"
                R"((?:%{ELB_URIPATHPARAM})?)"},
    {"ELB_URIPATHPARAM", R"(%{URIPATH:path}(?:%{URIPARAM:params})?)"},
    {"EXIM_DATE",
     R"(%{YEAR:exim_year}-%{MONTHNUM:exim_month}-%{MONTHDAY:exim_day} %{TIME:exim_time})", "0-9"},
    {"EXIM_FLAGS", R"(<=|[=>*-]>|\*\*|==)"},
    {"EXIM_HEADER_ID", R"(id=%{NOTSPACE:exim_header_id})"},
    {"EXIM_INTERFACE", R"(I=\[%{IP:exim_interface}\](?::%{NUMBER:exim_interface_port})?)"},
    {"EXIM_MSGID", R"([0-9A-Za-z]{6}-[0-9A-Za-z]{6}(?:[0-9A-Za-z]{5})?-[0-9A-Za-z]{2,4})"},
    {"EXIM_MSG_SIZE", R"(S=%{NUMBER:exim_msg_size})"},
    {"EXIM_PID", R"(\[%{POSINT:pid}\])"},
    {"EXIM_PROTOCOL", R"(P=%{NOTSPACE:protocol})"},
    {"EXIM_QT", R"((?:[0-9]+y)?(?:[0-9]+w)?(?:[0-9]+d)?(?:[0-9]+h)?(?:[0-9]+m)?(?:[0-9]+s)?)"},
    {"EXIM_REMOTE_HOST",
     R"(H=(?:%{NOTSPACE:remote_hostname} )?(?:\(%{NOTSPACE:remote_heloname}\) )?)"
     R"(\[%{IP:remote_host}\](?::%{POSINT:remote_port})?)"},
    {"EXIM_SUBJECT", R"(T=%{QS:exim_subject})"},
    {"HAPROXYCAPTUREDREQUESTHEADERS", R"(%{DATA:captured_request_headers})"},
    {"HAPROXYCAPTUREDRESPONSEHEADERS", R"(%{DATA:captured_response_headers})"},
    {"HAPROXYCOUNTS",
     R"(%{INT:actconn}/%{INT:feconn}/%{INT:beconn}/%{INT:srvconn}/%{NOTSPACE:retries} )"
     R"(%{INT:srv_queue}/%{INT:backend_queue})"},
    {"HAPROXYDATE",
     R"(%{MONTHDAY:haproxy_monthday}/%{MONTH:haproxy_month}/%{YEAR:haproxy_year}:)"
     R"(%{HAPROXYTIME:haproxy_time}\.%{INT:haproxy_milliseconds})",
     "0-9"},
    {"HAPROXYERROR",
     R"(%{HAPROXYPREFIX} %{IP:client_ip}:%{INT:client_port} \[%{HAPROXYDATE:accept_date}\] )"
     R"(%{NOTSPACE:frontend_name}/%{NOTSPACE:bind_name}: %{GREEDYDATA:error_message})"},
    {"HAPROXYHTTP", R"(%{HAPROXYPREFIX} %{HAPROXYHTTPBASE})"},
    {"HAPROXYHTTPBASE",
     R"re(%{IP:client_ip}:%{INT:client_port} \[%{HAPROXYDATE:accept_date}\] )re"
     R"re(%{NOTSPACE:frontend_name} %{NOTSPACE:backend_name}/%{NOTSPACE:server_name} )re"
     R"re(%{INT:time_request}/%{INT:time_queue}/%{INT:time_backend_connect}/)re"
     R"re(%{INT:time_backend_response}/%{NOTSPACE:time_duration} %{INT:http_status_code} )re"
     R"re(%{NOTSPACE:bytes_read} %{DATA:captured_request_cookie} )re"
     R"re(%{DATA:captured_response_cookie} )re"
     R"re(%{NOTSPACE:termination_state} %{HAPROXYCOUNTS}(?: )re"
     R"re(\{%{HAPROXYCAPTUREDREQUESTHEADERS}\})?)re"
     R"re((?: \{%{HAPROXYCAPTUREDRESPONSEHEADERS}\})? "(?:<BADREQ>|%{WORD:http_verb} )re"
     R"re((?:%{URIPROTO:http_proto}://)?(?:%{USER:http_user}(?::[^@\s]*)?@)?)re"
     R"re((?:%{URIHOST:http_host})?(?:%{URIPATHPARAM:http_request})?(?: )re"
     R"re(HTTP/%{NUMBER:http_version})?)re"
     R"re()?"?)re"},
    {"HAPROXYPREFIX",
     R"((?:%{SYSLOGTIMESTAMP:syslog_timestamp}|%{TIMESTAMP_ISO8601:timestamp8601}) )"
     R"(%{IPORHOST:syslog_server} %{SYSLOGPROG}:)"},
    {"HAPROXYTCP",
     R"(%{HAPROXYPREFIX} %{IP:client_ip}:%{INT:client_port} \[%{HAPROXYDATE:accept_date}\] )"
     R"(%{NOTSPACE:frontend_name} %{NOTSPACE:backend_name}/%{NOTSPACE:server_name} )"
     R"(%{INT:time_queue}/%{INT:time_backend_connect}/%{NOTSPACE:time_duration} )"
     R"(%{NOTSPACE:bytes_read} %{NOTSPACE:termination_state} %{HAPROXYCOUNTS})"},
    {"HAPROXYTIME", R"(%{HOUR:haproxy_hour}:%{MINUTE:haproxy_minute}:%{SECOND:haproxy_second})",
     "0-9"},
    {"HTTPD20_ERRORLOG", R"(\[%{HTTPDERROR_DATE:timestamp}\] \[%{LOGLEVEL:loglevel}\] )"
                         R"((?:\[client %{IPORHOST:clientip}\] )?%{GREEDYDATA:message})"},
    {"HTTPD24_ERRORLOG",
     R"(\[%{HTTPDERROR_DATE:timestamp}\] \[(?:%{WORD:module})?:%{LOGLEVEL:loglevel}[1-8]?\] )"
     R"(\[pid %{POSINT:pid}(?::tid %{NUMBER:tid})?\])"
     R"((?: \(%{POSINT:proxy_errorcode}\)%{DATA:proxy_message}:)?)"
     R"((?: \[client %{IPORHOST:clientip}(?::%{POSINT:clientport})?\])?)"
     R"((?: (?<errorcode>[A-Z]+[0-9]+):)? %{GREEDYDATA:message})"},
    {"HTTPDERROR_DATE", R"(%{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{YEAR})"},
    // A user's name or an e-mail address, read in one go.
    {"HTTPDUSER", R"([\w.!#$%&'*+/=?^`{|}~-]+(?:@%{HOSTNAME})?)"},
    {"HTTPD_COMBINEDLOG", R"(%{HTTPD_COMMONLOG} %{QS:referrer} %{QS:agent})"},
    {"HTTPD_COMMONLOG",
     R"re(%{IPORHOST:clientip} %{HTTPDUSER:ident} %{HTTPDUSER:auth} \[%{HTTPDATE:timestamp}\] )re"
     R"re("(?:%{WORD:verb} %{NOTSPACE:request}(?: )re"
     R"re(HTTP/%{NUMBER:httpversion})?|%{DATA:rawrequest})" )re"
     R"re((?:-|%{NUMBER:response}) (?:-|%{NUMBER:bytes}))re"},
    {"HTTPD_ERRORLOG", R"(%{HTTPD20_ERRORLOG}|%{HTTPD24_ERRORLOG})"},
    {"JAVACLASS", R"((?:[A-Za-z$_][\w$]*\.)*[A-Za-z$_][\w$]*)"},
    {"JAVAFILE", R"([\w. -]+)"},  // A blank for `Native Method` and `Unknown Source`.
    {"JAVALOGMESSAGE", R"(.*)"},
    {"JAVAMETHOD", R"(<(?:cl)?init>|[A-Za-z$_][\w$]*)"},
    {"JAVASTACKTRACEPART", R"(%{SPACE}at %{JAVACLASS:class}\.%{JAVAMETHOD:method})"
                           R"(\(%{JAVAFILE:file}(?::%{NUMBER:line})?\))"},
    {"JAVATHREAD", R"([A-Z]{2}-Processor[0-9]+)"},
    {"MAVEN_VERSION", R"((?:[0-9]+\.){0,2}(?:\*|[0-9]+)(?:[.-](?:RELEASE|SNAPSHOT))?)"},
    {"MONGO3_COMPONENT", R"(%{WORD}|-)"},
    {"MONGO3_LOG",
     R"(%{TIMESTAMP_ISO8601:timestamp} %{MONGO3_SEVERITY:severity} %{MONGO3_COMPONENT:component})"
     R"(%{SPACE}(?:\[%{DATA:context}\])? %{GREEDYDATA:message})"},
    {"MONGO3_SEVERITY", R"(\w)"},
    {"MONGO_LOG", R"(%{SYSLOGTIMESTAMP:timestamp} \[%{WORD:component}\] %{GREEDYDATA:message})"},
    {"MONGO_QUERY", R"(\{ .* \})"},
    {"MONGO_SLOWQUERY",
     R"(%{WORD:op} %{MONGO_WORDDASH:database}\.%{MONGO_WORDDASH:collection} %{WORD}: )"
     R"(%{MONGO_QUERY:query} ntoreturn:%{NONNEGINT:ntoreturn} ntoskip:%{NONNEGINT:ntoskip} )"
     R"(nscanned:%{NONNEGINT:nscanned}.*? nreturned:%{NONNEGINT:nreturned}.*? %{INT:duration}ms)"},
    {"MONGO_WORDDASH", R"(\b[\w-]+\b)"},
    {"NGINXACCESS", R"re(%{IPORHOST:clientip} (?:-|%{NGUSER:ident}) (?:-|%{NGUSER:auth}) )re"
                    R"re(\[%{HTTPDATE:timestamp}\] )re"
                    R"re("(?:%{WORD:verb} %{NOTSPACE:request}(?: )re"
                    R"re(HTTP/%{NUMBER:httpversion})?|%{DATA:rawrequest})" )re"
                    R"re(%{NUMBER:response} (?:-|%{NUMBER:bytes}) %{QS:referrer} %{QS:agent})re"},
    {"NGINXERROR",
     R"re((?<timestamp>%{YEAR}/%{MONTHNUM}/%{MONTHDAY} %{TIME}) \[%{LOGLEVEL:loglevel}\] )re"
     R"re(%{POSINT:pid}#%{NONNEGINT:tid}: (?:\*%{NONNEGINT:connection} )?)re"
     R"re((?:%{DATA:message}, client: %{IPORHOST:client}, server: (?<server>[^,]*))re"
     R"re((?:, request: "(?<request>[^"]*)")?(?:, upstream: "(?<upstream>[^"]*)")?)re"
     R"re((?:, host: "(?<host>[^"]*)")?(?:, referrer: )re"
     R"re("(?<referrer>[^"]*)")?|%{GREEDYDATA:message}))re"},
    {"NGUSER", R"(%{NGUSERNAME})"},
    {"NGUSERNAME", R"([\w.@+%-]+)"},
    {"POSTGRESQL", R"((?<timestamp>(?:%{YEAR}-%{MONTHNUM}-%{MONTHDAY}|%{DATE})[- ]%{TIME}) %{TZ} )"
                   R"(%{DATA:user_id} %{GREEDYDATA:connection_id} %{POSINT:pid})"},
    {"RAILS3", R"(%{RAILS3HEAD}(?:%{RPROCESSING})?(?<context>(?:%{DATA}\n)*)(?:%{RAILS3FOOT})?)"},
    {"RAILS3FOOT",
     R"(Completed %{POSINT:response}%{DATA} in %{NUMBER:totalms:float}ms %{RAILS3PROFILE})"
     R"(%{GREEDYDATA})"},
    {"RAILS3HEAD",
     R"re((?m:Started %{WORD:verb} "%{URIPATHPARAM:request}" for %{IPORHOST:clientip} at )re"
     R"re((?<timestamp>%{YEAR}-%{MONTHNUM}-%{MONTHDAY} %{HOUR}:%{MINUTE}:%{SECOND} )re"
     R"re(%{ISO8601_TIMEZONE})))re"},
    {"RAILS3PROFILE", R"((?:\((?:Views: %{NUMBER:viewms:float}ms \| )?ActiveRecord: )"
                      R"(%{NUMBER:activerecordms:float}ms)?)"},
    {"RCONTROLLER", R"((?<controller>[^#]+)#(?<action>\w+))"},
    {"REDISLOG", R"((?:\[%{POSINT:pid}\]|%{POSINT:pid}:%{WORD:role}) %{REDISTIMESTAMP:timestamp} )"
                 R"((?<level>[.*#-]) )"},
    {"REDISMONLOG", R"re(%{NUMBER:timestamp} \[%{INT:database} )re"
                    R"re((?:\[?%{IP:client}\]?:%{POSINT:port:int}|lua|unix:\S*)\] )re"
                    R"re("%{WORD:command}"\s?%{GREEDYDATA:params})re"},
    {"REDISTIMESTAMP", R"(%{MONTHDAY} %{MONTH} (?:[0-9]{4} )?%{TIME})", "0-9"},
    {"RPROCESSING", R"(\W*Processing by %{RCONTROLLER} as (?<format>\S+)(?:\W*Parameters: )"
                    R"(\{%{DATA:params}\}\W*)?)"},
    {"RUBY_LOGGER", R"([DFEWI], \[%{TIMESTAMP_ISO8601:timestamp} #%{POSINT:pid:int}\] )"
                    R"(*%{RUBY_LOGLEVEL:loglevel} -- +)"
                    R"(%{DATA:progname}: %{GREEDYDATA:message})"},
    {"RUBY_LOGLEVEL", R"(DEBUG|FATAL|ERROR|WARN|INFO)"},
    {"RUUID", R"([0-9A-Fa-f]{32})"},
    {"S3_ACCESS_LOG",
     R"re(%{WORD:owner} %{NOTSPACE:bucket} \[%{HTTPDATE:timestamp}\] (?:-|%{IP:clientip}) )re"
     R"re(%{NOTSPACE:requester} %{NOTSPACE:request_id} %{NOTSPACE:operation} %{NOTSPACE:key} )re"
     R"re((?:"-"|"%{S3_REQUEST_LINE}"|-) (?:-|%{INT:response:int}) (?:-|%{NOTSPACE:error_code}) )re"
     R"re((?:-|%{INT:bytes:int}) (?:-|%{INT:object_size:int}) (?:-|%{INT:request_time_ms:int}) )re"
     R"re((?:-|%{INT:turnaround_time_ms:int}) (?:-|%{QS:referrer}) (?:-|%{QS:agent}) )re"
     R"re((?:-|%{NOTSPACE:version_id}))re"},
    {"S3_REQUEST_LINE",
     R"(%{WORD:verb} %{NOTSPACE:request}(?: HTTP/%{NUMBER:httpversion})?|%{DATA:rawrequest})"},
    {"SQUID3",
     R"(%{NUMBER:timestamp}\s+%{NUMBER:duration} %{IP:client_address} )"
     R"(%{WORD:cache_result}/%{NONNEGINT:status_code} %{NUMBER:bytes} %{WORD:request_method} )"
     R"(%{NOTSPACE:url} (?:-|%{NOTSPACE:user}) %{WORD:hierarchy_code}/(?:-|%{IPORHOST:server}) )"
     R"(%{NOTSPACE:content_type})"},
    {"SYSLOG5424BASE",
     R"(%{SYSLOG5424PRI}%{NONNEGINT:syslog5424_ver:int} )"
     R"(+(?:-|%{TIMESTAMP_ISO8601:syslog5424_ts}) +)"
     R"((?:-|%{IPORHOST:syslog5424_host}) +(?:-|%{SYSLOG5424PRINTASCII:syslog5424_app}) +)"
     R"((?:-|%{SYSLOG5424PRINTASCII:syslog5424_proc}) +)"
     R"((?:-|%{SYSLOG5424PRINTASCII:syslog5424_msgid}) +(?:-|%{SYSLOG5424SD:syslog5424_sd})?)"},
    {"SYSLOG5424LINE", R"(%{SYSLOG5424BASE} +%{GREEDYDATA:syslog5424_msg})"},
    {"SYSLOG5424PRI", R"(<%{NONNEGINT:syslog5424_pri:int}>)"},
    {"SYSLOG5424PRINTASCII", R"([!-~]+)"},
    {"SYSLOG5424SD", R"re((?:\[[^"\]]*(?:"[^"\\]*(?:\\.[^"\\]*)*"[^"\]]*)*\])+)re"},
    {"SYSLOGBASE2", R"((?:%{SYSLOGTIMESTAMP:timestamp}|%{TIMESTAMP_ISO8601:timestamp8601}) )"
                    R"((?:%{SYSLOGFACILITY} )?%{SYSLOGHOST:logsource}(?: %{SYSLOGPROG}:)?)"},
    {"SYSLOGLINE", R"(%{SYSLOGBASE2} %{GREEDYDATA:message})"},
    {"SYSLOGPAMSESSION",
     R"(%{SYSLOGBASE} (?<message>%{WORD:pam_module}\(%{DATA:pam_caller}\): session )"
     R"(%{WORD:pam_session_state} for user %{USERNAME:username}(?:\(uid=[0-9]+\))?)"
     R"((?: by %{GREEDYDATA:pam_by})?))"},
    {"TOMCATLOG", R"(%{TOMCAT_DATESTAMP:timestamp} \| %{LOGLEVEL:level} \| %{JAVACLASS:class} - )"
                  R"(%{JAVALOGMESSAGE:logmessage})"},
    {"TOMCAT_DATESTAMP",
     R"(%{YEAR}-%{MONTHNUM}-%{MONTHDAY} %{HOUR}:?%{MINUTE}(?::?%{SECOND}) %{ISO8601_TIMEZONE})",
     "0-9"},
});
static_assert(std::ranges::is_sorted(kFormats, {}, &BuiltinPattern::name));

}  // namespace

std::span<const BuiltinPattern> FormatPatterns() {
  return kFormats;
}

}  // namespace agent
