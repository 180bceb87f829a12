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

/* Losing the connection is said, and un-said when it is back. */
document.addEventListener("htmx:sseError", () => document.body.classList.add("offline"));
document.addEventListener("htmx:sseOpen", () => document.body.classList.remove("offline"));

/* <form data-confirm="…"> asks before it acts. */
document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

/* <select data-auto> submits its form when it changes. */
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-auto]")) event.target.form.requestSubmit();
});
