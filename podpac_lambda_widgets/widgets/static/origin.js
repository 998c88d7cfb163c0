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
  const line = (text, what) => {
    const [copy, pre] = drawCopy(text, what);
    return h('div', { class: 'plw-zarr-line' }, pre, copy);
  };
  paints.zarr.push(() => {
    const address = form.get('zarr');
    place.hidden = !address;
    place.replaceChildren(...(address ? [
      h('p', { class: 'plw-lead' }, 'In the bucket as Zarr, and so opened where zarr 3 and s3fs are installed:'),
      line(address, 'the address'), line(`xarray.open_zarr(${JSON.stringify(address)})`, 'the line'),
    ] : []));
  });
  return place;
};
