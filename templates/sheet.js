"use strict";
if (navigator.clipboard) {
  for (const equation of document.querySelectorAll("[data-latex]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy LaTeX";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(equation.dataset.latex);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy LaTeX"; }, 1500);
    });
    equation.append(button);
  }
}
