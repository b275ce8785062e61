import { mount } from "svelte";
import App from "./App.svelte";
import "./ui/base.css";
import { appearance } from "./ui/theme.svelte";

appearance.apply();
const target = document.getElementById("app");
if (target) mount(App, { target });
