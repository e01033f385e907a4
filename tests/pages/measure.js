// measure.js - says what text of a page is outside its box.  Run by tests/test_pages.sh around three copies of the page.
//
// A box: a cell of a table, a picture, the page's width for everything that doesn't scroll inside itself.  In the
// picture of networks no text may cover another.
"use strict";

const scrolls = element => element.closest(".table, figure, pre");

function rects(node) {
    const range = node.ownerDocument.createRange();
    range.selectNodeContents(node);
    return [...range.getClientRects()].filter(rect => rect.width > 0 && rect.height > 0);
}

function textNodes(body) {
    const walker = body.ownerDocument.createTreeWalker(body, NodeFilter.SHOW_TEXT);
    const nodes = [];
    while (walker.nextNode())
        if (walker.currentNode.data.trim() && !walker.currentNode.parentElement.closest("svg, style"))
            nodes.push(walker.currentNode);
    return nodes;
}

const outside = (rect, box) => rect.left < box.left - 1 || rect.right > box.right + 1;

function measureText(body, width, say) {
    for (const node of textNodes(body)) {
        const parent = node.parentElement, cell = parent.closest("td, th");
        for (const rect of rects(node)) {
            if (cell && outside(rect, cell.getBoundingClientRect()))
                say(`"${node.data}" leaves its cell`);
            if (!scrolls(parent) && (rect.left < 0 || rect.right > width))
                say(`"${node.data.slice(0, 60)}" leaves the page`);
        }
    }
}

function measurePictures(body, say) {
    for (const svg of body.querySelectorAll("svg")) {
        const box = svg.getBoundingClientRect(), placed = [];
        for (const text of svg.querySelectorAll("text")) {
            const rect = text.getBoundingClientRect();
            if (!text.textContent.trim())
                continue;
            if (outside(rect, box) || rect.top < box.top - 1 || rect.bottom > box.bottom + 1)
                say(`"${text.textContent}" leaves its picture`);
            if (rect.height < 8)
                say(`"${text.textContent}" is ${rect.height.toFixed(1)} pixels high`);
            /* letters have less than the line that they stand in */
            const slim = { left: rect.left + 1, right: rect.right - 1, top: rect.top + rect.height * 0.2,
                           bottom: rect.bottom - rect.height * 0.2, words: text.textContent };
            if (!/rotate/.test(text.outerHTML + text.parentElement.outerHTML.slice(0, 200)))
                for (const other of placed)
                    if (slim.left < other.right && other.left < slim.right && slim.top < other.bottom && other.top < slim.bottom)
                        say(`"${slim.words}" covers "${other.words}"`);
            placed.push(slim);
        }
    }
}

function measure(frame) {
    const page = frame.contentDocument, width = frame.clientWidth, said = new Set();
    page.querySelectorAll("details").forEach(folded => { folded.open = true; });
    if (page.scrollingElement.scrollWidth > width)
        said.add(`the page is ${page.scrollingElement.scrollWidth} pixels wide`);
    measureText(page.body, width, words => said.add(words));
    measurePictures(page.body, words => said.add(words));
    return [...said].slice(0, 12).map(words => `${width}: ${words}`).concat(`measured at ${width}`);
}

addEventListener("load", () => {
    document.getElementById("said").textContent = [...document.querySelectorAll("iframe")].flatMap(measure).join("\n");
});
