"use strict";
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const make = (tag, attributes, text = "") => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.textContent = text;
    return element;
  };

  // What is folded away is kept compressed, so that a long page is small and opens at once.
  const unpack = (kept) => {
    if (!self.DecompressionStream) return Promise.reject(new Error("no DecompressionStream"));
    const bytes = Uint8Array.from(atob(kept.textContent), (letter) => letter.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  };
  const unfold = (fold) => (fold.unfolded ||= (async () => {
    for (const kept of fold.querySelectorAll(':scope > script[type="text/html"]')) {
      const html = await unpack(kept).catch(() => '<p class="note">This browser cannot unpack it: bakeoff table shows it.</p>');
      const content = document.createRange().createContextualFragment(html);
      all("table", content).forEach(makeSortable);
      kept.replaceWith(content);
    }
    const section = fold.closest("section.suite");
    const search = section && section.querySelector('input[type="search"]');
    if (search && search.value) search.dispatchEvent(new Event("input"));
  })());
  document.addEventListener("toggle", (event) => { if (event.target.open) unfold(event.target); }, true);

  // Sorting: a cell says what it is sorted by; what has no figure stays at the end in either direction.
  const sortBy = (table, column, direction) => {
    const body = table.tBodies[0];
    const key = (row) => {
      const cell = row.cells[column];
      if (!cell || cell.colSpan > 1) return null;
      const value = cell.dataset.v;
      if (value !== undefined) return value === "" ? null : Number(value);
      if (cell.querySelector(".none")) return null;
      return (cell.querySelector(".name, .id") || cell).textContent.trim().toLowerCase();
    };
    const rows = [...body.rows].map((row) => [key(row), row]);
    rows.sort(([one], [other]) => {
      if (one === null || other === null) return (one === null) - (other === null);
      const order = typeof one === typeof other && typeof one === "number" ? one - other
        : String(one).localeCompare(String(other), "en", { numeric: true });
      return direction * order;
    });
    body.append(...rows.map(([, row]) => row));
  };
  const makeSortable = (table) => {
    if (!table.tHead || table.tBodies[0].rows.length < 2) return;
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      if (head.hasAttribute("data-unsorted")) return;
      const button = make("button", { type: "button", class: "sort" });
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const direction = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
        all("[aria-sort]", table.tHead).forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
        sortBy(table, column, direction);
      });
    });
  };

  // Filtering. A table whose rows are all hidden says so in its caption.
  const matches = (text, words) => words.every((word) => text.includes(word));
  const wordsOf = (input) => input.value.toLowerCase().split(/\s+/).filter(Boolean);
  const searchField = (label) => {
    const field = make("label", { class: "filter" });
    const input = make("input", { type: "search", placeholder: label, autocomplete: "off" });
    field.append(make("span", {}, label), input);
    return [field, input];
  };
  const filterRows = (within, words) => {
    for (const row of all("tbody tr", within)) {
      const name = row.cells[0];
      row.hidden = !matches((name ? name.textContent : "").toLowerCase(), words);
    }
  };
  const addRowFilter = (within, before, label) => {
    if (!before || all("tbody tr", within).length < 4) return;
    const [field, input] = searchField(label);
    input.addEventListener("input", () => filterRows(within, wordsOf(input)));
    before.before(field);
  };
  const addClaimsFilter = (section) => {
    const claims = all(".claim", section);
    const before = section.querySelector(".claims-of");
    if (claims.length < 2 || !before) return;
    const bar = make("div", { class: "filters", role: "group", "aria-label": "Filter claims" });
    const chosen = new Set();
    const [field, input] = searchField("Filter claims");
    const status = make("p", { class: "note", role: "status" });
    const apply = () => {
      const words = wordsOf(input);
      for (const claim of claims) {
        claim.hidden = (chosen.size && !chosen.has(claim.dataset.verdict)) || !matches(claim.textContent.toLowerCase(), words);
      }
      for (const folded of all("details.untested", section)) {
        const left = all(".claim:not([hidden])", folded).length;
        folded.hidden = !left;
        if (left && (chosen.size || words.length)) folded.open = true;
      }
      for (const suite of all(".claims-of", section)) suite.hidden = !suite.querySelector(".claim:not([hidden])");
      const shown = claims.filter((claim) => !claim.hidden).length;
      status.textContent = shown === claims.length ? "" : `${shown} of ${claims.length} claims`;
    };
    const buttons = new Map();
    for (const verdict of ["reproduced", "refuted", "inconclusive", "not-tested"]) {
      const count = claims.filter((claim) => claim.dataset.verdict === verdict).length;
      if (!count) continue;
      const button = make("button", { type: "button", "aria-pressed": "false", class: `chip verdict ${verdict}` },
        `${verdict.replace("-", " ")} ${count}`);
      button.addEventListener("click", () => {
        const on = !chosen.delete(verdict);
        if (on) chosen.add(verdict);
        button.setAttribute("aria-pressed", String(on));
        apply();
      });
      buttons.set(verdict, button);
      bar.append(button);
    }
    input.addEventListener("input", apply);
    bar.append(field);
    before.before(bar, status);
    for (const link of all("a[data-verdict]")) {
      link.addEventListener("click", () => {
        chosen.clear();
        chosen.add(link.dataset.verdict);
        buttons.forEach((button, verdict) => button.setAttribute("aria-pressed", String(chosen.has(verdict))));
        input.value = "";
        apply();
      });
    }
    section.showAll = () => {
      chosen.clear();
      buttons.forEach((button) => button.setAttribute("aria-pressed", "false"));
      input.value = "";
      apply();
    };
  };

  // A link to what is folded or filtered away brings it to light.
  const reveal = async () => {
    let id = location.hash.slice(1);
    try { id = decodeURIComponent(id); } catch { /* it is no encoded name, so it is the name itself */ }
    const holder = id && all("details[data-holds]").find((fold) => fold.dataset.holds.split(" ").includes(id));
    if (holder) await unfold(holder);
    const target = id && document.getElementById(id);
    if (!target) return;
    if (target.closest("[hidden]")) {
      const section = target.closest("section");
      if (section && section.showAll) section.showAll();
      all('input[type="search"]', section || document).forEach((input) => {
        input.value = "";
        input.dispatchEvent(new Event("input"));
      });
    }
    for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    target.scrollIntoView();
  };

  // Saving: colours and fonts are written out, since a file on its own has no page around it.
  const save = (name, type, text) => {
    const link = make("a", { download: name, href: URL.createObjectURL(new Blob([text], { type })) });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  const asSvg = (figure, named) => {
    const copy = figure.querySelector("svg.chart").cloneNode(true);
    const [, , width, height] = copy.getAttribute("viewBox").split(" ");
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    copy.setAttribute("width", width);
    copy.setAttribute("height", height);
    copy.setAttribute("font-family", "system-ui, 'DejaVu Sans', sans-serif");
    const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
    title.textContent = named;
    const ground = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    for (const [name, value] of [["width", "100%"], ["height", "100%"], ["fill", "#ffffff"]]) ground.setAttribute(name, value);
    copy.prepend(title, ground);
    return new XMLSerializer().serializeToString(copy).replace(/var\(--[\w-]+, (#\w+)\)/g, "$1");
  };
  const asCsv = (packed) => {
    const { columns, rows } = JSON.parse(packed);
    const quoted = (cell) => /[",\r\n]/.test(cell) ? `"${String(cell).replaceAll('"', '""')}"` : String(cell);
    let above = [];
    const lines = rows.map((row) => (above = row.map((cell, column) => cell === null ? above[column] : cell)).map(quoted).join(","));
    return [columns.map(quoted).join(","), ...lines].join("\n") + "\n";
  };
  for (const figure of all("figure[id]")) {
    const data = figure.querySelector('script[type="text/plain"]');
    const tools = make("p", { class: "tools" });
    const title = figure.querySelector(".chart-title").textContent;
    const name = figure.id.replace(/^figure-/, "");
    const add = (label, action) => {
      const button = make("button", { type: "button", class: "tool", "aria-label": `Save ${title} as ${label}` }, label);
      button.addEventListener("click", action);
      tools.append(button);
    };
    add("SVG", () => save(`${name}.svg`, "image/svg+xml", asSvg(figure, title)));
    if (data) add("CSV", async () => save(`${name}.csv`, "text/csv", asCsv(await unpack(data))));
    figure.querySelector(".chart-title").after(tools);
  }

  // The theme: that of the system until another is chosen; it is kept where the browser keeps anything for a file.
  const remembered = {
    get: () => { try { return localStorage.getItem("bakeoff-theme") || ""; } catch { return ""; } },
    set: (value) => { try { localStorage.setItem("bakeoff-theme", value); } catch { /* then only until it is closed */ } },
  };
  const theme = document.getElementById("theme");
  if (theme) {
    const names = { "": "system", light: "light", dark: "dark" };
    const show = (value) => {
      if (value) document.documentElement.dataset.theme = value;
      else delete document.documentElement.dataset.theme;
      theme.textContent = `Theme: ${names[value]}`;
    };
    let current = remembered.get() in names ? remembered.get() : "";
    show(current);
    theme.hidden = false;
    theme.addEventListener("click", () => {
      const order = Object.keys(names);
      current = order[(order.indexOf(current) + 1) % order.length];
      remembered.set(current);
      show(current);
    });
  }

  all("table").forEach(makeSortable);
  addRowFilter(document.getElementById("summary") || make("p", {}), document.querySelector("#summary .scroll"), "Filter suites");
  all("section.suite").forEach((section) => addRowFilter(section, section.querySelector("h3"), "Filter implementations"));
  all("section.rows").forEach((section) => addRowFilter(section, section.querySelector(".scroll"), "Filter rows"));
  const claims = document.getElementById("claims");
  if (claims) addClaimsFilter(claims);
  window.addEventListener("hashchange", reveal);
  reveal();
})();
