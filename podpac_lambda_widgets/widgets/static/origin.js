// Where it comes from, as terms and values; what is long may be copied.
BLOCKS.origin = (form, block, paints) => {
  const list = h('dl', { class: 'plw-origin' });
  paints.origin.push(() => list.replaceChildren(...unpack(form, 'origin').map(([term, value]) =>
    h('div', {}, h('dt', {}, term), h('dd', {}, value.length > 120 ? drawCopy(value) : value)))));
  return list;
};

// The address of a result that lies in the bucket as Zarr.
BLOCKS.zarr = (form, block, paints) => {
  const place = h('div', { class: 'plw-zarr' });
  paints.picture.push(() => {
    const { zarr } = unpack(form, 'picture');
    place.hidden = !zarr;
    if (zarr && place.dataset.zarr !== zarr) {
      place.dataset.zarr = zarr;
      place.replaceChildren(h('p', { class: 'plw-lead' }, 'In the bucket as Zarr:'), drawCopy(zarr));
    }
  });
  return place;
};
