/** The data services on this machine, for the tests of programs that know this package only. */
export { answering, keys, plainHistory, type VendorServer, vendorServer } from "../../bars/test/vendors.js";
