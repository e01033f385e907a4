/* style.h - the look of the page, in light, in dark and on paper.
 *
 * What is too wide scrolls inside itself on a screen; on paper tables break their lines, those of many columns lie on
 * a sheet on its side, and what can be folded is open.  Pictures are drawn on white: in the dark they are turned, with
 * their hues.
 */
#ifndef CONVREF_VERIFY_REPORT_STYLE_H
#define CONVREF_VERIFY_REPORT_STYLE_H

static const char page_style[] =
    ":root{color-scheme:light dark;--ink:#1a1a1a;--page:#fff;--soft:#555;--line:#ddd;--rule:#888;--link:#1d5a96;"
    "--shade:#f3f5f8}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:0 auto;padding:1rem;color:var(--ink);"
    "background:var(--page);overflow-wrap:break-word}"
    "h1{font-size:1.7rem;line-height:1.2;margin:.5rem 0}h2{font-size:1.3rem;margin:2.2rem 0 .5rem;"
    "border-bottom:1px solid var(--line)}h3{font-size:1.05rem;margin:1.6rem 0 .3rem}h1,h2,h3{break-after:avoid}"
    "nav a{margin-right:1rem;display:inline-block}a,summary{color:var(--link)}.lead{font-size:1.25rem;line-height:1.4}"
    ".table,figure,pre{overflow-x:auto}.table{margin:.6rem 0}table{border-collapse:collapse;font-size:.85rem}"
    "th,td{padding:.2rem .6rem;border-bottom:1px solid var(--line);text-align:left;white-space:nowrap}"
    "th{border-bottom:2px solid var(--rule);white-space:normal;vertical-align:bottom}"
    "th:first-child,td:first-child{position:sticky;left:0;background:var(--page)}"
    "th.n,td.n{text-align:right;font-variant-numeric:tabular-nums}tr:hover td{background:var(--shade)}"
    "figure{margin:.8rem 0}figure svg{display:block;width:100%;min-width:43rem;max-width:56rem;height:auto}"
    "figcaption{position:sticky;left:0;max-width:100%}figcaption,.note,dt{color:var(--soft)}"
    "figcaption,.note{font-size:.85rem}details{margin:.6rem 0}summary{cursor:pointer}"
    "pre{background:var(--shade);padding:.7rem;font-size:.85rem}"
    "dl{display:grid;grid-template-columns:minmax(4rem,max-content) minmax(0,1fr);gap:.2rem 1rem;font-size:.9rem}"
    "dd{margin:0}"
    "@media screen and (prefers-color-scheme:dark){:root{--ink:#e2e2e2;--page:#121212;--soft:#a5a5a5;--line:#3a3a3a;"
    "--rule:#888;--link:#8ab8e8;--shade:#1f2329}figure svg{filter:invert(.93) hue-rotate(180deg)}}"
    "@page{size:A4;margin:14mm}@page sideways{size:A4 landscape;margin:8mm}"
    "@media print{nav{display:none}body{padding:0;max-width:none;font-size:10pt}"
    "details::details-content{display:block;content-visibility:visible;height:auto}details>*{display:block}"
    "summary{list-style:none;color:var(--soft)}.table,figure,pre{overflow:visible}pre{white-space:pre-wrap}"
    "table{font-size:6.5pt;width:100%}th,td{padding:.1rem .25rem;white-space:normal;overflow-wrap:anywhere}"
    "td.n{white-space:nowrap}th{overflow-wrap:normal;hyphens:auto}th:first-child,td:first-child{position:static}"
    ".wide{page:sideways}.wide table{font-size:4.2pt}.wide th,.wide td{padding:.05rem .1rem}"
    ".wide th{overflow-wrap:anywhere}"
    "thead{display:table-header-group}tr,figure{break-inside:avoid}figure svg{min-width:0;width:100%}}";

#endif
