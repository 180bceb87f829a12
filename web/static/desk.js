/* The little that the server cannot do: tick clocks between two answers of the server. */
"use strict";

const SECOND = 1000;

/** Business seconds left, as h:mm:ss; a minus sign when late. */
function clockText(seconds) {
  const late = seconds < 0;
  const total = Math.abs(Math.trunc(seconds));
  const hours = Math.trunc(total / 3600);
  const minutes = String(Math.trunc(total / 60) % 60).padStart(2, "0");
  const rest = String(total % 60).padStart(2, "0");
  return `${late ? "−" : ""}${hours}:${minutes}:${rest}`;
}

/**
 * <time data-left="SECONDS" data-running="1"> counts down while its clock runs; the server says
 * how much business time is left and whether the calendar is open, so the browser never has to.
 */
function tick() {
  const now = performance.now();
  for (const clock of document.querySelectorAll("[data-left]")) {
    clock.seenAt ??= now;
    const passed = clock.dataset.running === "1" ? (now - clock.seenAt) / SECOND : 0;
    const left = Number(clock.dataset.left) - passed;
    clock.textContent = clockText(left);
    clock.classList.toggle("late", left < 0);
  }
}

setInterval(tick, SECOND);
document.addEventListener("DOMContentLoaded", tick);
document.addEventListener("htmx:afterSettle", tick);

/* Errors come back as a fragment for #notices; let htmx show them instead of dropping them. */
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status >= 400) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});

/* What takes long is seen to be on its way, and what never arrives is told. */
let underWay = 0;
function awaited(more) {
  underWay = Math.max(0, underWay + more);
  document.body.classList.toggle("busy", underWay > 0);
}
document.addEventListener("htmx:beforeSend", () => awaited(1));
document.addEventListener("htmx:afterRequest", (event) => {
  awaited(-1);
  if (event.detail.xhr.status) takeBack(asksByItself(event));
});

/* A list that asks by itself whether something changed does no harm when it hears nothing. */
function asksByItself(event) {
  return event.detail.requestConfig?.triggeringEvent?.type === "sse:changed";
}

/* That the desk did not answer holds until it does; of what the reader did, until she acts again. */
function takeBack(byItself) {
  const told = document.querySelector("#notices > .lost");
  if (told && !(byItself && told.dataset.acted)) told.remove();
}

for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => {
    const place = document.getElementById("notices");
    if (asksByItself(event) && place.childElementCount) return; // what is told there weighs more
    const told = document.createElement("div");
    told.className = "notice bad lost";
    told.textContent = place.dataset.lost;
    if (!asksByItself(event)) told.dataset.acted = "1";
    place.replaceChildren(told);
  });
}

/*
 * <… sse-connect="/live/TOPIC"> hears when something of the topic changed and tells every element
 * within whose hx-trigger is "sse:changed" (htmx's own extension only swaps what an event carries).
 * With data-into="#place" the events carry the content of that place, which is asked for by the
 * page itself only when there is no connection to be had.
 * One connection per address, whatever is swapped; after a lost one everything is asked for again.
 */
const sources = new Map();
const RETRY_AFTER = 3 * SECOND;

function placesOf(url) {
  return document.querySelectorAll(`[sse-connect="${CSS.escape(url)}"]`);
}

function fill(url, content) {
  for (const { dataset } of placesOf(url)) {
    const place = document.querySelector(dataset.into);
    keepOpened(place);
    htmx.swap(place, content, { swapStyle: "innerHTML", swapDelay: 0, settleDelay: 0 }, {
      eventInfo: { target: place, requestConfig: { elt: place } },
    });
  }
}

function tellChanged(url) {
  for (const place of placesOf(url)) {
    const filled = document.querySelector(place.dataset.into ?? "#no-place");
    if (filled) htmx.trigger(filled, "sse:changed");
    for (const part of [place, ...place.querySelectorAll("[hx-trigger]")]) {
      if (part.getAttribute("hx-trigger")?.includes("sse:changed")) htmx.trigger(part, "sse:changed");
    }
  }
}

function connect(url) {
  const source = new EventSource(url);
  let lost = false;
  source.addEventListener("changed", () => tellChanged(url));
  source.addEventListener("content", (event) => fill(url, event.data));
  source.addEventListener("open", () => {
    document.body.classList.remove("offline");
    if (lost) tellChanged(url);
    lost = false;
  });
  source.addEventListener("error", () => {
    lost = true;
    document.body.classList.add("offline");
    if (source.readyState !== EventSource.CLOSED) return; // the browser itself tries again
    setTimeout(() => {
      if (sources.get(url) === source) sources.set(url, connect(url));
      tellChanged(url);
    }, RETRY_AFTER);
  });
  return source;
}

function listen() {
  const places = [...document.querySelectorAll("[sse-connect]")];
  const wanted = new Set(places.map((place) => place.getAttribute("sse-connect")));
  for (const [url, source] of sources) {
    if (!wanted.has(url)) {
      source.close();
      sources.delete(url);
    }
  }
  for (const url of wanted) if (!sources.has(url)) sources.set(url, connect(url));
}

document.addEventListener("DOMContentLoaded", listen);
document.addEventListener("htmx:afterSettle", listen);

/* What a reader has opened or closed stays so when its list is brought up to date. */
let folded = new Map();
function keepOpened(place) {
  const within = [...place.querySelectorAll("details[id]")];
  folded = new Map(within.map((details) => [details.id, details.open]));
}
document.addEventListener("htmx:beforeSwap", (event) => keepOpened(event.detail.target));
document.addEventListener("htmx:afterSwap", () => {
  for (const [id, open] of folded) document.getElementById(id)?.toggleAttribute("open", open);
  folded.clear();
});

/* A <dialog> opens when something is put into it, and closes when its act leads elsewhere. */
document.addEventListener("htmx:afterSwap", (event) => {
  const { target, requestConfig } = event.detail;
  if (target.matches("dialog")) {
    if (!target.open) target.showModal();
  } else {
    requestConfig.elt.closest("dialog")?.close();
  }
});

/* What scrolls can be scrolled by keyboard: it takes the focus while there is more than it shows. */
function reachScrollers() {
  for (const place of document.querySelectorAll(".scroll:not([role=region])")) {
    const more = place.scrollWidth > place.clientWidth || place.scrollHeight > place.clientHeight;
    place.toggleAttribute("tabindex", more);
    if (more) place.tabIndex = 0;
  }
}
document.addEventListener("DOMContentLoaded", reachScrollers);
document.addEventListener("htmx:afterSettle", reachScrollers);
document.addEventListener("toggle", reachScrollers, true); // something was unfolded
window.addEventListener("resize", reachScrollers);

/* <input type="file" data-limit="BYTES" data-refusal="…"> refuses before anything is sent. */
document.addEventListener("change", (event) => {
  const { limit, refusal } = event.target.dataset;
  if (!limit) return;
  const file = event.target.files[0];
  event.target.setCustomValidity(file && file.size > Number(limit) ? refusal : "");
  event.target.reportValidity();
});

/* What is sent to many at once holds nobody's token; <form data-confirm="…"> asks before it acts. */
document.addEventListener("submit", (event) => {
  const token = event.target.elements.csrf;
  if (token) token.value ||= document.querySelector("meta[name=csrf]").content;
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

/* <select data-auto> submits its form when it changes. */
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-auto]")) event.target.form.requestSubmit();
});
