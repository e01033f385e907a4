/* style.h - the look of the page: black on white, one column, tables that scroll on a phone and break on paper. */
#ifndef CONVREF_VERIFY_REPORT_STYLE_H
#define CONVREF_VERIFY_REPORT_STYLE_H

static const char page_style[] =
    "body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:0 auto;padding:1rem;color:#1a1a1a;background:#fff}"
    "h1{font-size:1.7rem;margin:.5rem 0}h2{font-size:1.3rem;margin:2.2rem 0 .5rem;border-bottom:1px solid #ccc}"
    "h3{font-size:1.05rem;margin:1.6rem 0 .3rem}nav a{margin-right:1rem}a{color:#1d5a96}"
    ".table{overflow-x:auto;margin:.6rem 0}table{border-collapse:collapse;font-size:.85rem}"
    "th,td{padding:.2rem .6rem;border-bottom:1px solid #ddd;text-align:left;white-space:nowrap}"
    "th{border-bottom:2px solid #888;white-space:normal;vertical-align:bottom}"
    "th.n,td.n{text-align:right;font-variant-numeric:tabular-nums}"
    "tr:hover td{background:#f3f6fa}figure{margin:.8rem 0}figure svg{max-width:100%;height:auto}"
    "figcaption,.note{font-size:.85rem;color:#555}details{margin:.6rem 0}summary{cursor:pointer;color:#1d5a96}"
    "pre{background:#f5f5f5;padding:.7rem;overflow-x:auto;font-size:.85rem}"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;font-size:.9rem}dt{color:#555}dd{margin:0}"
    "@media print{nav{display:none}details{display:block}details>*{display:block}.table{overflow:visible}"
    "table{font-size:.6rem}section{break-inside:auto}figure{break-inside:avoid}}";

#endif
