/* A short tone when more tickets are at risk or late than before; silent until asked for. */
"use strict";

const KEY = "tierdesk.sound";
const TONE_HZ = 880;
const TONE_S = 0.35;
let tones = null;

const wanted = () => localStorage.getItem(KEY) === "on";
const total = () =>
  [...document.querySelectorAll("[data-alarm]")].reduce(
    (sum, place) => sum + Number(place.dataset.alarm),
    0,
  );

/** A browser lets a page sound only after somebody has acted on it, so the first press starts it. */
function sound() {
  tones ??= new AudioContext();
  const tone = tones.createOscillator();
  const volume = tones.createGain();
  tone.frequency.value = TONE_HZ;
  volume.gain.setValueAtTime(0.2, tones.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.001, tones.currentTime + TONE_S);
  tone.connect(volume).connect(tones.destination);
  tone.start();
  tone.stop(tones.currentTime + TONE_S);
}

function showWish() {
  for (const button of document.querySelectorAll("[data-sound]")) {
    button.setAttribute("aria-pressed", String(wanted()));
  }
}

let before = null;
function look() {
  if (!document.querySelector("[data-alarm]")) return;
  const now = total();
  if (before !== null && now > before && wanted()) sound();
  before = now;
}

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-sound]")) return;
  localStorage.setItem(KEY, wanted() ? "off" : "on");
  showWish();
  if (wanted()) sound(); // so that people know what to listen for
});
document.addEventListener("DOMContentLoaded", () => {
  showWish();
  look();
});
document.addEventListener("htmx:afterSettle", look);
