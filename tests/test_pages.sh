#!/bin/sh
# test_pages.sh - what a reader of the report sees: all networks, names that don't cover each other, commands that work,
# and, where a browser is installed, no text outside its box at three widths and on paper.
#
# The browser runs a script that this test puts around the page; the page itself has none.   Read next: pages/measure.js
suite=test_pages
. "${srcdir:-.}/tests/cli/frame.sh"
CONVREF_PLOTS=$source_top/verify/measure/plot
export CONVREF_PLOTS

has gnuplot || { skip pages "no gnuplot"; finish; }
browser=
for one in chromium chromium-browser google-chrome; do
    [ -n "$browser" ] || ! command -v "$one" > /dev/null || browser=$one
done

# ---- all networks -----------------------------------------------------------------------------------------------------
expect page 0 'convref report --no-bench --no-verify --output page.html --keep kept && cat page.html' '</html>'
expected=$(basename -a "$CONVREF_NETWORKS"/*.net | sed 's/\.net$//' | sort)
same page_has_all_networks 'networks of the table' "$expected" "$(sed 1d kept/networks.tsv | cut -f 1 | sort)"
same page_has_no_script 'scripts of the page' 0 "$(grep -c '<script' page.html)"

# ---- names beside points: the data that the plot is drawn from ------------------------------------------------------------
expect names 0 'convref plot networks kept/networks.tsv --save plot' 'networks.gp'
# Pixels from values, as networks.gp has them; names are 6.4 pixels a letter and 14 high.
cat > overlaps.awk <<'END'
function ln(value) { return log(value) }
{ name[NR] = $1; px[NR] = ln($2); py[NR] = ln($3); lx[NR] = $4; ly[NR] = $5
  if (NR == 1 || px[NR] < left) left = px[NR]
  if (NR == 1 || px[NR] > right) right = px[NR]
  if (NR == 1 || py[NR] < low) low = py[NR]
  if (NR == 1 || py[NR] > high) high = py[NR] }
function x(value) { return (value - left + ln(1.3)) / (right - left + 2 * ln(1.3)) * 774 }
function y(value) { return (value - low + ln(1.3)) / (high - low + 2 * ln(1.3)) * 748.2 }
function apart(a, b) { return a > b ? a - b : b - a }
END
cat > names.awk <<'END'
END {
    for (i = 1; i <= NR; i++) {
        if (lx[i] == "?") { dropped++; continue }
        shown++
        cx[i] = x(ln(lx[i])); cy[i] = y(ln(ly[i])); wide[i] = 6.4 * length(name[i])
        if (cx[i] < wide[i] / 2 - 1 || cx[i] > 775 - wide[i] / 2 || cy[i] < 6 || cy[i] > 742) print name[i] " leaves the plot"
        for (j = 1; j < i; j++)
            if (lx[j] != "?" && apart(cx[i], cx[j]) < (wide[i] + wide[j]) / 2 - 1 && apart(cy[i], cy[j]) < 13)
                print name[i] " covers " name[j]
        for (j = 1; j <= NR; j++)
            if (apart(cx[i], x(px[j])) < wide[i] / 2 && apart(cy[i], y(py[j])) < 7) print name[i] " covers the point of " name[j]
    }
    print (shown >= 45 ? "most are shown" : shown " are shown, " dropped " aren't")
}
END
same names_apart 'what names do' 'most are shown' "$(awk -F '\t' -f overlaps.awk -f names.awk plot/networks.tsv)"
same names_need_the_rule 'where 57 names go' yes "$(awk -F '\t' '$6 != "?" { led++ } END { print(led > 0 ? "yes" : "no line") }' plot/networks.tsv)"

# ---- ladders: bars begin at 1x, end at the best, and steps multiply --------------------------------------------------------
printf 'kernel\tms\tspeedup\trepeats\tthreads\n' > steps.tsv
printf 'dw_01_direct\t8\t1\t1\t1\ndw_02_bounds_hoisted\t4\t2\t1\t1\ndw_06_openmp\t1\t8\t1\t1\ndw_06_openmp\t0.5\t16\t1\t4\n' >> steps.tsv
expect steps 0 'convref plot speedup steps.tsv --save plot && cat plot/speedup.tsv' '^dw_01_direct	.*	1	1$' \
    '^dw_02_bounds_hoisted	.*	2	2$' '^dw_06_openmp	all cores, here 4	16	8$'
expect steps_title 0 'convref plot speedup steps.tsv --output steps.svg && cat steps.svg' \
    'dw: 16.0 times faster on 4 cores; the greatest step, 8.0x: all cores' '16.0x, this step 8.00x'
# the longest title there is, at 7 pixels a letter, is within the picture's 900
printf 'kernel\tms\tspeedup\trepeats\tthreads\n' > long.tsv
printf 'std_01_direct\t800\t1\t1\t1\nstd_04_im2col\t100\t8\t1\t1\nstd_09_openmp\t20\t40\t1\t2\n' >> long.tsv
same steps_title_fits 'a title that leaves the picture' '' "$(convref plot speedup long.tsv --output long.svg >/dev/null
    grep -B1 '<text>std: 40.0 times' long.svg | awk -F '[(,]' '/translate/ { at = $2 } /<text>/ { gsub(/.*<text>|<.text>/, ""); half = 3.5 * length($0)
        found = 1
        if (at < half || at + half > 900) print at ": " $0 } END { if (!found) print "none" }')"

# ---- experiments: titles that say what was found ---------------------------------------------------------------------------
# three ways that were timed, the second of which gains less time than work, the third of no known work; one that wasn't
printf 'case\tway\tmac_ratio\ttime_ratio\ttime_ratio_low\ttime_ratio_high\n' > claim.tsv
printf 'a\tbest\t8\t9\t8\t10\nb\tbest\t8.69\t4.5\t4\t5\nc\tbest\t\t1.5\t1\t2\nd\tbest\t30\t\t\t\n' >> claim.tsv
expect experiment_title 0 'convref plot experiment claim.tsv --output claim.svg && cat claim.svg' \
    '1 to 8.69 times fewer multiply-adds: 1.5 to 9 times faster; 2 of 3 gain as much time as work'
# 1 GMAC/s and 10 us a group; published times aren't ours
printf 'way\tpublished\tgroups\tmacs_inside\tms\tpublished_ms\nbest\t\t1\t4096000\t4.106\t\n' > groups.tsv
printf 'best\t\t4\t1024000\t1.064\t\nbest\t\t16\t256000\t0.416\t\n' >> groups.tsv
printf '\tthem\t1\t4096000\t\t50\n\tthem\t4\t1024000\t\t20\n\tthem\t16\t256000\t\t90\n' >> groups.tsv
expect groups_title 0 'convref plot groups groups.tsv --output groups.svg && cat groups.svg' \
    '16 times the groups, 16 times fewer multiply-adds: 0.1 times the time; a group costs 10 us'

# ---- colours: grey values at least 25 apart ---------------------------------------------------------------------------
for plot in ratio experiment; do
    greys=$(sed -n '/^plot/,$p' "$CONVREF_PLOTS/$plot.gp" | grep -o 'lc rgb "#[0-9a-f]*"[^,]*title' | sed 's/^lc rgb "#\([0-9a-f]*\)".*/\1/' |
        awk 'function hex(text) { return 16 * (index("0123456789abcdef", substr(text, 1, 1)) - 1) + index("0123456789abcdef", substr(text, 2, 1)) - 1 }
             { print int(0.299 * hex(substr($1, 1, 2)) + 0.587 * hex(substr($1, 3, 2)) + 0.114 * hex(substr($1, 5, 2))) }' | sort -n)
    same "colours_$plot" 'greys that are nearer than 25' '' "$(echo "$greys" | awk 'NR > 1 && $1 - last < 25 { print last, $1 } { last = $1 }')"
done

# ---- a page with times: everything that the page can have, from a network of one block ---------------------------------
printf 'network small\ninput c=8 in=12x12\ndw: dw filter=3x3 pad=1\npw: conv k=16 filter=1x1\nstd: conv k=8 filter=3x3 pad=1\n' > small.net
expect timed 0 "convref report --network ./small.net --grouped ./small.net --no-verify --output small.html && cat small.html" \
    'times fewer multiply-adds, [0-9.]+ times faster here' '<svg' '</html>'
# commands_of FILE: what the page prints below "to repeat"
commands_of() { sed -n '/<pre>/,/<\/pre>/p' "$1" | sed 's/<[^>]*>//g; s/&gt;/>/g; s/&lt;/</g; s/&amp;/\&/g'; }
commands_of small.html > commands.sh
same commands_all 'commands of the page' 4 "$(grep -c '^convref' commands.sh)"
# the first one, which makes the page, costs seconds again: that of the page without times has to do
{ commands_of page.html | sed -n 1p; sed 1d commands.sh; } > some.sh
mkdir empty
expect commands 0 'cd empty && sh -e ../some.sh && ls' '^report.html$' '^results.tsv$' '^speedup.svg$'

# ---- in a browser ------------------------------------------------------------------------------------------------------
if [ -z "$browser" ] || ! has python3; then
    skip boxes "no browser, or no python3"
    skip paper "no browser, or no python3"
    finish
fi
browse() { timeout 60 "$browser" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$work/browser" "$@" 2> browser.err; }
# The page with times has everything that the other one has.
python3 - small.html "$data/pages/measure.js" > around.html <<'END'
import html, sys
page = html.escape(open(sys.argv[1], encoding="utf-8").read())
print('<!DOCTYPE html><meta charset="utf-8"><body>')
for width in 1280, 768, 390:
    print(f'<iframe width="{width}" height="900" style="border:0" srcdoc="{page}"></iframe>')
print('<pre id="said">nothing was measured</pre><script>', open(sys.argv[2], encoding="utf-8").read(), "</script>")
END
if browse --virtual-time-budget=20000 --dump-dom "file://$work/around.html" > dom.html && grep -q 'id="said"' dom.html; then
    said=$(python3 -c 'import html, re, sys
print(html.unescape(re.search("<pre id=\"said\">(.*?)</pre>", sys.stdin.read(), re.S).group(1)))' < dom.html)
    same boxes 'text outside its box' 'measured at 1280
measured at 768
measured at 390' "$said"
else
    skip boxes "$browser doesn't run here"
fi
if command -v pdftotext > /dev/null && browse --no-pdf-header-footer --print-to-pdf=paper.pdf "file://$work/small.html" && [ -s paper.pdf ]; then
    pdftotext -bbox paper.pdf paper.xml
    outside=$(awk -F '"' '/<page/ { wide = $2; high = $4 }
        /<word/ { words++; if ($2 < 0 || $6 > wide + 1 || $4 < 0 || $8 > high + 1) print $0 } END { if (words < 500) print words " words" }' paper.xml)
    same paper 'text outside the paper' '' "$outside"
    # what is folded on a screen is on paper: a heading of the layers, and a column of every measurement
    same paper_is_open 'folded tables' 'MAC/byte scratch' "$(grep -o '>MAC/byte<\|>scratch<' paper.xml | tr -d '<>' | sort -u | paste -s -d ' ' -)"
else
    skip paper "no pdftotext, or $browser doesn't print here"
    skip paper_is_open "no pdftotext, or $browser doesn't print here"
fi
finish
