// What is wrong with this page as a reader sees it: a list of sentences.
// tools/browser.py evaluates it on every page, on each screen, light and dark.
() => {
  const LEAST_CONTRAST = 4.5; // WCAG 2, level AA
  const faults = [];
  const width = document.documentElement.clientWidth;
  const article = document.querySelector(".bd-article") ?? document.body;
  const all = (selector) => [...article.querySelectorAll(selector)];
  const start = (text) => text.trim().replace(/\s+/g, " ").slice(0, 60);
  const unread = "script, style, template, mjx-assistive-mml, .mathjax_ignore";

  const texts = () => {
    const found = [];
    const walker = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const text = walker.currentNode;
      if (text.data.trim() && !text.parentElement.closest(unread)) found.push(text);
    }
    return found;
  };

  const lookAtMathematics = () => {
    for (const error of all("mjx-merror, [data-mjx-error]"))
      faults.push(`mathematics with an error: ${start(error.textContent)}`);
    for (const math of all(".math"))
      if (!math.querySelector("mjx-container"))
        faults.push(`mathematics not rendered: ${start(math.textContent)}`);
    for (const text of texts())
      if (
        /\$\$|\\\(|\\\[/.test(text.data) &&
        !text.parentElement.closest("pre, code, .math")
      )
        faults.push(`raw mathematics: ${start(text.data)}`);
  };

  const lookAtPictures = () => {
    for (const image of all("img")) {
      if (!image.alt.trim()) faults.push(`a picture without alt: ${image.src}`);
      if (image.complete && !image.naturalWidth)
        faults.push(`a picture that does not show: ${image.src}`);
    }
  };

  const lookAtCode = () => {
    for (const code of all("div.cell_input div.highlight"))
      if (!code.querySelector("button.copybtn"))
        faults.push(`code without a copy button: ${start(code.textContent)}`);
  };

  const isInScrollingBox = (element) => {
    for (let box = element.parentElement; box && box !== document.body; ) {
      if (getComputedStyle(box).overflowX !== "visible") return true;
      box = box.parentElement;
    }
    return false;
  };

  const lookAtWidth = () => {
    const whole = document.documentElement.scrollWidth;
    if (whole > width) faults.push(`the page is ${whole} wide on a screen of ${width}`);
    for (const link of document.querySelectorAll(".prev-next-area a"))
      if (link.scrollWidth > link.clientWidth + 1)
        faults.push(`a link that is cut off: ${start(link.textContent)}`);
    for (const element of all("*")) {
      const { right, width: own } = element.getBoundingClientRect();
      if (own && right > width + 1 && !isInScrollingBox(element))
        faults.push(
          `${element.tagName.toLowerCase()} ends at ${Math.round(right)} of ${width}: ` +
            start(element.textContent),
        );
    }
  };

  const channels = (colour) => {
    const numbers = colour.match(/[\d.]+/g).map(Number);
    return numbers.length < 4 ? [...numbers, 1] : numbers;
  };
  const luminance = (colour) => {
    const [red, green, blue] = colour.map((channel) => {
      const share = channel / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const background = (element) => {
    for (let box = element; box; box = box.parentElement) {
      const colour = channels(getComputedStyle(box).backgroundColor);
      if (colour[3] > 0.5) return colour;
    }
    return [255, 255, 255, 1];
  };

  const lookAtContrast = () => {
    for (const text of texts()) {
      const element = text.parentElement;
      if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true }))
        continue;
      const pair = [channels(getComputedStyle(element).color), background(element)];
      const [dark, light] = pair.map(luminance).sort((a, b) => a - b);
      const contrast = (light + 0.05) / (dark + 0.05);
      if (contrast < LEAST_CONTRAST)
        faults.push(`a contrast of ${contrast.toFixed(2)}: ${start(text.data)}`);
    }
  };

  if (!document.title.trim()) faults.push("the page has no title");
  lookAtMathematics();
  lookAtPictures();
  lookAtCode();
  lookAtWidth();
  lookAtContrast();
  return [...new Set(faults)];
};
