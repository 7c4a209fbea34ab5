// The button of the header that ends the login.

import { ask } from "./api.js";

const button = /** @type {HTMLButtonElement} */ (document.getElementById("logout"));

button.addEventListener("click", async () => {
  try {
    await ask("/logout", {});
  } catch (problem) {
    if (!problem.isLogin && !problem.isOtherPerson) {
      button.textContent = button.dataset.failed ?? "";
      return;
    }
  }
  location.assign("/login");
});
