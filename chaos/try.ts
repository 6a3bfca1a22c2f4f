import { kills } from "./kills.ts";
console.log(await kills({ kills: 3, clients: 8, life: 2500, seed: 1 }, console.log));
