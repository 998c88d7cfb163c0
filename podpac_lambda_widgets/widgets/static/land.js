// The land of the Earth: SVG paths in hundredths of degrees, east and north. The kernel is asked when a map is drawn.
let landKnown = null;

function askLand(view) {
  if (landKnown) return Promise.resolve(landKnown);
  return new Promise((resolve) => {
    const receive = (content, buffers) => {
      if (content.type !== 'land') return;
      view.page.off('msg:custom', receive);
      landKnown ??= JSON.parse(new TextDecoder().decode(buffers[0]));
      resolve(landKnown);
    };
    view.page.on('msg:custom', receive);
    view.page.send({ type: 'land' });
  });
}
