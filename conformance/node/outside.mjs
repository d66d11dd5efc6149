// The world outside, by fetch; prints how it was refused.
try {
  const r = await fetch("https://example.com/");
  console.log("answered", r.status);
} catch (e) {
  console.log(e.cause?.code, e.cause?.message);
}
