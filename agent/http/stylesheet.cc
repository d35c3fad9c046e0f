// The one stylesheet of the pages: light or dark as the reader has it, tables become cards on a
// phone.

#include "agent/http/endpoints.h"

namespace agent {
namespace {

constexpr std::string_view kStyle = R"css(
:root {
  color-scheme: light dark;
  --back: #f6f7f9; --card: #fff; --text: #1a1f27; --faint: #5c6675; --line: #dde2e9;
  --accent: #0b62c4; --good: #137a3c; --bad: #b3261e; --chip: #eef2f7;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #12151a; --card: #1b2027; --text: #e6e9ee; --faint: #9aa5b4; --line: #303843;
    --accent: #6cb0ff; --good: #5fce8a; --bad: #ff8a80; --chip: #262d37;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
a { color: var(--accent); }
code, pre, .mono { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
  font-size: .87em; }
header { display: flex; flex-wrap: wrap; align-items: center; gap: .25rem 1.5rem;
  padding: .6rem 1.25rem; background: var(--card); border-bottom: 1px solid var(--line); }
.brand { margin: 0; overflow-wrap: anywhere; }
.brand span, .faint, .caption { color: var(--faint); }
nav { display: flex; flex-wrap: wrap; gap: .1rem; margin-left: -.6rem; }
nav a { padding: .3rem .6rem; border-radius: 6px; text-decoration: none; }
nav a:hover { background: var(--chip); }
nav a[aria-current] { background: var(--chip); color: var(--text); font-weight: 600; }
main { max-width: 84rem; margin: 0 auto; padding: 0 1.25rem 3rem; }
h1 { margin: 1.4rem 0 .8rem; font-size: 1.5rem; }
h2 { margin: 2rem 0 .6rem; font-size: 1.15rem; }
h3 { margin: 1.4rem 0 .6rem; font-size: 1.02rem; overflow-wrap: anywhere; }
h2 small, h3 small { margin-left: .4rem; color: var(--faint); font-size: .85rem; font-weight: 400; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .75rem; }
.tile { margin: 0; padding: .7rem .9rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 10px; }
.tile b { display: block; font-size: 1.3rem; line-height: 1.3; }
.tile span { color: var(--faint); font-size: .87rem; }
.bad, .tile.bad b { color: var(--bad); }
.good { color: var(--good); }
.card { margin: 0 0 .9rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 10px; overflow: hidden; }
.card > div, .card > p { margin: 0; padding: .7rem .9rem; }
.card h2 { margin: 0; }
.facts { display: flex; flex-wrap: wrap; gap: .1rem 1.4rem; margin: .5rem 0 0; padding: 0;
  list-style: none; color: var(--faint); }
.facts b { color: var(--text); font-variant-numeric: tabular-nums; }
.facts .bad, .facts .bad b { color: var(--bad); }
.lanes td:first-child { min-width: 0; }
.card > div + table, .card > p + table { border-top: 1px solid var(--line); }
.labels code { display: inline-block; margin: .1rem 0; padding: .05rem .45rem; border-radius: 5px;
  background: var(--chip); overflow-wrap: anywhere; }
.labels i { color: var(--faint); font-style: normal; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .45rem .9rem; text-align: left; vertical-align: top; }
th { color: var(--faint); font-size: .82rem; font-weight: 600; white-space: nowrap; }
tr + tr td, thead + tbody tr td { border-top: 1px solid var(--line); }
td { overflow-wrap: anywhere; }
td:first-child { min-width: 20rem; }
td.keep { white-space: nowrap; max-width: 14rem; overflow: hidden; text-overflow: ellipsis; }
.halves { table-layout: fixed; }
.halves td:first-child { min-width: 0; }
td.word { white-space: nowrap; }
td small { display: block; color: var(--faint); }
th.number, td.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
progress { width: 5rem; height: .5rem; accent-color: var(--accent); vertical-align: middle; }
pre { margin: 0; padding: .9rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 10px; overflow-x: auto; line-height: 1.45; }
.filter { display: flex; flex-wrap: wrap; align-items: center; gap: .6rem; margin: 0 0 1rem; }
.filter label { color: var(--faint); }
select, button { max-width: 100%; padding: .35rem .7rem; font: inherit; color: var(--text);
  background: var(--card); border: 1px solid var(--line); border-radius: 6px; }
button { cursor: pointer; }
select:focus-visible, button:focus-visible, a:focus-visible, summary:focus-visible {
  outline: 2px solid var(--accent); outline-offset: 1px; }
summary { cursor: pointer; color: var(--faint); font-size: .87rem; }
details[open] summary { margin-bottom: .2rem; }
.pattern { overflow-wrap: anywhere; }
.state { white-space: nowrap; }
.state::before { content: ""; display: inline-block; width: .55rem; height: .55rem;
  margin-right: .45rem; border-radius: 50%; background: currentColor; }
@media (max-width: 760px) {
  header { padding: .6rem 1rem .4rem; }
  nav { font-size: .93rem; }
  nav a { padding: .3rem .42rem; }
  main { padding: 0 1rem 2rem; }
  .tiles { grid-template-columns: 1fr 1fr; gap: .5rem; }
  .tile { padding: .5rem .7rem; }
  thead { display: none; }
  table, tbody, tr { display: block; }
  tr { padding: .5rem 0; }
  tr + tr { border-top: 1px solid var(--line); }
  tr + tr td, thead + tbody tr td { border-top: 0; }
  td, td.number { display: block; position: relative; min-height: 1.8rem; max-width: none;
    padding: .15rem .9rem .15rem 7.4rem; text-align: left; white-space: normal; }
  td:first-child { min-width: 0; }
  td::before { content: attr(data-label); position: absolute; left: .9rem; color: var(--faint);
    font-size: .85rem; }
  td:empty { display: none; }
  .halves td { padding-left: .9rem; }
  .halves td::before { position: static; display: block; }
}
)css";

}  // namespace

ServerResponse ServeStylesheet(const ServerRequest& /*request*/, EndpointContext& /*context*/) {
  return {.content_type = "text/css; charset=utf-8",
          .body = std::string(kStyle),
          .headers = {{"Cache-Control", "max-age=300"}}};
}

}  // namespace agent
