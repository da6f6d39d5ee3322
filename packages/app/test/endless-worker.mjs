// A thread that never looks up: only ending it ends it.
export default () => {
  for (;;);
};
