// `/config` shows the configuration in use, secrets masked.

#include "agent/http/endpoints.h"
#include "agent/http/html.h"

namespace agent {

ServerResponse ServeConfig(const ServerRequest& request, EndpointContext& context) {
  std::string text = context.view.ConfigText();
  if (request.Query("format") == "yaml") {
    return {.content_type = "application/yaml; charset=utf-8",
            .body = std::move(text),
            .headers = {{"Cache-Control", "no-store"}}};
  }
  const AgentInfo info = context.view.Info();
  HtmlPage page("Configuration", "/config", info);
  page.Raw("<p class=\"caption\">");
  if (info.config_file.empty()) {
    page.Text("No file: flags and defaults only.");
  } else {
    page.Raw("<code>").Text(info.config_file).Raw("</code>, loaded ");
    page.Text(FormatSeconds(info.config_age_seconds)).Text(" ago. Secrets are masked.");
  }
  page.Raw(" <a href=\"config?format=yaml\">As text</a></p>\n<pre>").Text(text).Raw("</pre>\n");
  return page.Finish();
}

}  // namespace agent
