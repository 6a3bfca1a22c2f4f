// `make container-test` builds the image, and runs the deployment suite against three containers.
// It uses Docker if it is available, and otherwise buildah.
import { deploymentSuite } from "../../support/deployment_suite.ts";
import * as buildah from "./buildah.ts";
import * as compose from "./compose.ts";
import { INTERNAL_PORT, ports, portsInUse, TLS_PORT } from "./ports.ts";

const hasCompose = await compose.isThere();
if (hasCompose) await compose.removeOld();
const conflict = await portsInUse([...Object.values(ports), TLS_PORT, INTERNAL_PORT]);
if (conflict) {
  console.error(`» the containers were not tested: ${conflict}`);
  process.exit(1);
}
if (hasCompose) {
  deploymentSuite("three containers of docker compose", compose.deployWithCompose);
} else if (process.getuid?.() === 0 && (await buildah.isThere())) {
  deploymentSuite("three containers of buildah", buildah.deployWithBuildah);
} else {
  console.error(
    "» the containers were not tested: that needs Docker with compose, or buildah as root",
  );
  process.exit(1);
}
