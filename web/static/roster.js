/* The month grid by keyboard and mouse: moving, painting, swapping, undoing; marks of a preview. */
"use strict";

{
  const SELECTED = "selected";
  let brush = "";
  let painted = null; // cells drawn over while the button is down
  let first = null; // of a swap

  const grid = () => document.querySelector("table.grid");
  const editable = () => grid()?.dataset.edit;
  const buttons = (row) => [...row.querySelectorAll("td > button")];
  const cellOf = (target) => target.closest?.("table.grid tbody td")?.querySelector("button");
  /* Rows of other teams are looked at here and changed on the page of their own roster. */
  const OWN = "tr[data-agent]:not([data-of])";
  const own = (target) => (target.closest?.(OWN) ? cellOf(target) : null);

  function placeOf(button) {
    const cell = button.closest("td");
    const row = cell.parentElement;
    const head = grid().tHead.rows[0].cells[cell.cellIndex];
    return { agent: row.dataset.agent, day: head.dataset.day };
  }

  function buttonAt(agent, day) {
    const head = [...grid().tHead.rows[0].cells].find((cell) => cell.dataset.day === day);
    if (!head) return [];
    const rows = grid().querySelectorAll(`tr[data-agent="${CSS.escape(String(agent))}"]`);
    return [...rows].map((row) => row.cells[head.cellIndex]?.querySelector("button")).filter(Boolean);
  }

  const shiftOf = (button) => {
    const text = button.textContent.replace("★", "").trim();
    return document.querySelector(`[data-brush][data-short="${CSS.escape(text)}"]`)?.dataset.brush ?? "off";
  };
  const change = (place, shift) => `${place.agent}|${place.day}|${shift === "off" ? "" : shift}`;

  /* A request that went astray is told of by desk.js; anything else is a fault to be heard. */
  const told = (fault) => {
    if (fault) throw fault;
  };

  function state(name) {
    return document.querySelector(`#desk-bar [name=${name}]`)?.value;
  }

  function post(path, values) {
    if (state("seen") === undefined) return;
    htmx.ajax("POST", `/rosters/${editable()}/${path}`, {
      target: "#desk-bar",
      swap: "outerHTML",
      values: { version: state("version"), seen: state("seen"), ...values },
    }).catch(told);
  }

  const edit = (changes) => post("edit", { change: changes });

  /* -- cells chosen by keyboard: Shift and arrows from one cell on --------------------------- */

  let anchor = null;
  const chosenCells = () => [...document.querySelectorAll("table.grid td.chosen > button")];

  function choose(from, to) {
    for (const button of chosenCells()) button.closest("td").classList.remove("chosen");
    anchor = from;
    if (!from) return;
    const rows = [...grid().querySelectorAll(`tbody ${OWN}`)];
    const place = (button) => [rows.indexOf(button.closest("tr")), button.closest("td").cellIndex];
    const [[r1, c1], [r2, c2]] = [place(from), place(to)];
    for (const row of rows.slice(Math.min(r1, r2), Math.max(r1, r2) + 1)) {
      for (let c = Math.min(c1, c2); c <= Math.max(c1, c2); c += 1) {
        if (row.cells[c].querySelector("button")) row.cells[c].classList.add("chosen");
      }
    }
  }

  /* What an act is about: all cells chosen, or the one in focus. */
  function meant(button) {
    const cells = chosenCells();
    return cells.includes(button) ? cells : [button];
  }

  /* Locked as they are; the server tells the grid to show it. */
  function lock(cells, kind) {
    const values = { act: kind, change: cells.map((one) => change(placeOf(one), shiftOf(one))) };
    htmx.ajax("POST", `/rosters/${editable()}/locks`, { target: "#notices", swap: "none", values })
      .catch(told);
  }

  /* One click locks a whole line or day; where all of it is locked already, it is unlocked. */
  function turn(cells) {
    cells = cells.filter((one) => !one.closest("td").classList.contains("s-standby"));
    const locked = cells.every((one) => one.closest("td").classList.contains("fix"));
    if (cells.length) lock(cells, locked ? "unlock" : "lock");
  }

  document.addEventListener("click", (event) => {
    if (!editable()) return;
    const line = event.target.closest("[data-lock-line]")?.closest("tr");
    if (line) turn(buttons(line));
    const head = event.target.closest("[data-lock-day]")?.closest("th");
    if (!head) return;
    const rows = [...grid().querySelectorAll(`tbody ${OWN}`)];
    turn(rows.map((row) => row.cells[head.cellIndex].querySelector("button")).filter(Boolean));
  });

  /* -- keys --------------------------------------------------------------------------------- */

  function move(button, key) {
    const row = button.closest("tr");
    const at = buttons(row).indexOf(button);
    if (key === "ArrowRight") return buttons(row)[at + 1];
    if (key === "ArrowLeft") return buttons(row)[at - 1];
    let next = row;
    do {
      next = key === "ArrowDown" ? next.nextElementSibling : next.previousElementSibling;
    } while (next && !next.dataset.agent);
    return next && buttons(next)[at];
  }

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select, textarea");
    if (editable() && !typing && (event.ctrlKey || event.metaKey)) {
      const act = { z: "undo", y: "redo" }[event.key.toLowerCase()];
      if (act && !document.querySelector(`[data-act=${act}]`)?.disabled) {
        event.preventDefault();
        post(act, {});
      }
      return;
    }
    const button = event.target.matches("table.grid td > button") ? event.target : null;
    if (!button || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key.startsWith("Arrow")) {
      event.preventDefault();
      const next = move(button, event.key);
      if (!next) return;
      if (event.shiftKey && editable() && own(next) && own(anchor ?? button)) {
        choose(anchor ?? button, next);
      } else choose(null);
      next.focus();
    } else if (event.key === "Escape") {
      choose(null);
    } else if (editable() && own(button)) {
      const chosen = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
      const off = event.key === "Delete" || event.key === "Backspace";
      if (chosen || off) {
        event.preventDefault();
        const shift = off ? "off" : chosen.dataset.brush;
        edit(meant(button).map((one) => change(placeOf(one), shift)));
        choose(null);
      } else if (event.key === "l" || event.key === "u") {
        lock(meant(button), event.key === "l" ? "lock" : "unlock");
      }
    }
  });

  /* The Tab key stops once at the grid, at the cell last looked at; arrows lead to the others. */
  let stop = null;
  let place = null; // of the stop: a grid that is drawn anew keeps it, and the focus

  function stopAt(button) {
    if (stop) stop.tabIndex = -1;
    stop = button;
    if (stop) stop.tabIndex = 0;
  }

  function oneStop() {
    if (!grid() || grid().contains(stop)) return;
    for (const button of grid().querySelectorAll("button")) button.tabIndex = -1;
    const again = place && buttonAt(place.agent, place.day)[0];
    stopAt(again ?? grid().querySelector("tbody td > button"));
    if (again && document.activeElement === document.body) again.focus();
  }

  document.addEventListener("DOMContentLoaded", oneStop);
  document.addEventListener("htmx:afterSettle", oneStop);
  document.addEventListener("focusin", (event) => {
    if (!event.target.matches("table.grid td > button")) return;
    stopAt(event.target);
    place = placeOf(event.target);
  });

  /* -- brush: paint over cells, or swap two ------------------------------------------------- */

  document.addEventListener("click", (event) => {
    const choice = event.target.closest("[data-brush]");
    if (choice) {
      brush = choice.dataset.brush;
      first?.classList.remove(SELECTED);
      first = null;
      for (const one of document.querySelectorAll("[data-brush]")) {
        one.setAttribute("aria-checked", String(one === choice));
      }
      return;
    }
    const preview = event.target.closest("[data-preview]");
    if (preview) show(preview);
  });

  /* While a brush is chosen a click on a cell changes it and does not open its panel. */
  document.addEventListener(
    "click",
    (event) => {
      const button = own(event.target);
      if (!button || !brush || !editable()) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      if (brush === "swap") swap(button);
      else if (event.detail === 0) edit([change(placeOf(button), brush)]);
    },
    true,
  );

  /* Otherwise a click, or Enter, opens the panel of the cell. */
  document.addEventListener("click", (event) => {
    const button = cellOf(event.target);
    if (!button) return;
    const { agent, day } = placeOf(button);
    const roster = button.closest("tr").dataset.of ?? grid().dataset.roster;
    htmx.ajax("GET", `/rosters/${roster}/cells/${agent}/${day}`, { source: button }).catch(told);
  });

  function swap(button) {
    if (!first) {
      first = button;
      button.classList.add(SELECTED);
      return;
    }
    const [one, other] = [first, button];
    one.classList.remove(SELECTED);
    first = null;
    if (one !== other) {
      edit([change(placeOf(one), shiftOf(other)), change(placeOf(other), shiftOf(one))]);
    }
  }

  /* -- drag: a duty moves to another cell; what was there comes back -------------------------- */

  let dragged = null;
  let droppedAt = null;

  document.addEventListener("pointerdown", (event) => {
    const button = own(event.target);
    if (brush || !editable() || event.button !== 0 || event.pointerType !== "mouse" || !button) return;
    event.target.releasePointerCapture?.(event.pointerId);
    dragged = button;
  });
  document.addEventListener("pointerover", (event) => {
    if (!dragged) return;
    droppedAt?.classList.remove(SELECTED);
    const button = own(event.target);
    droppedAt = button && button !== dragged ? button : null;
    dragged.classList.toggle(SELECTED, Boolean(droppedAt));
    droppedAt?.classList.add(SELECTED);
  });
  document.addEventListener("pointerup", () => {
    const [one, other] = [dragged, droppedAt];
    dragged = droppedAt = null;
    one?.classList.remove(SELECTED);
    other?.classList.remove(SELECTED);
    if (!one || !other) return;
    edit([change(placeOf(one), shiftOf(other)), change(placeOf(other), shiftOf(one))]);
  });

  function paint(target) {
    const button = own(target);
    if (!button || painted.has(button)) return;
    painted.add(button);
    button.classList.add(SELECTED);
  }

  document.addEventListener("pointerdown", (event) => {
    if (!brush || brush === "swap" || !editable() || event.button !== 0 || !own(event.target)) return;
    event.preventDefault();
    event.target.releasePointerCapture?.(event.pointerId);
    painted = new Set();
    paint(event.target);
  });
  document.addEventListener("pointerover", (event) => {
    if (painted) paint(event.target);
  });
  document.addEventListener("pointerup", () => {
    if (!painted) return;
    const cells = [...painted];
    painted = null;
    for (const button of cells) button.classList.remove(SELECTED);
    if (cells.length) edit(cells.map((button) => change(placeOf(button), brush)));
  });

  /* -- what the server says changed; what a repair would change ------------------------------ */

  function draw(button, text, colour) {
    const cell = button.closest("td");
    const star = button.textContent.includes("★") ? "★" : "";
    button.textContent = text + star;
    cell.className = cell.className.replace(/\bs-\w+\b/g, "").trim();
    if (colour) cell.classList.add(colour);
  }

  document.addEventListener("cells-changed", (event) => {
    for (const { agent, day, text, colour, edited } of event.detail.cells) {
      for (const button of buttonAt(agent, day)) {
        draw(button, text, colour);
        button.closest("td").classList.toggle("edited", edited);
      }
    }
  });

  const before = new Map();

  function clearPreview() {
    for (const [button, [text, css]] of before) {
      button.textContent = text;
      button.closest("td").className = css;
    }
    before.clear();
    for (const one of document.querySelectorAll("[data-preview]")) one.setAttribute("aria-pressed", "false");
  }

  function show(preview) {
    const pressed = preview.getAttribute("aria-pressed") === "true";
    clearPreview();
    if (pressed || !grid()) return;
    preview.setAttribute("aria-pressed", "true");
    for (const line of preview.closest(".way").querySelectorAll("[data-show]")) {
      const [agent, day, text, colour] = line.dataset.show.split("|");
      for (const button of buttonAt(agent, day)) {
        before.set(button, [button.textContent, button.closest("td").className]);
        draw(button, text, colour);
        button.closest("td").classList.add("proposed");
        button.scrollIntoView({ block: "nearest", inline: "nearest" });
      }
    }
  }

  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.id === "cell") clearPreview();
  });

  /* A panel that was asked for from the cover map is where one looks next, once it is prepared. */
  let sought = false;
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt.closest?.("table.heat")) sought = true;
  });
  document.addEventListener("htmx:afterSettle", () => {
    const panel = sought && document.querySelector("#cell [data-panel]");
    if (!panel) return;
    sought = false;
    panel.focus({ preventScroll: true });
    panel.scrollIntoView({ block: "start" });
  });
}
