// A thread that ends where it should work.
export default () => process.exit(3);
