// Only what is named here is loaded: the index of the services would bring what every other command needs.
export { createServices } from "@pf/app";
