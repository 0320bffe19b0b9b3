/** What the shop's people declare of it, in the format of Backstage's catalogue. */
function component(name: string, dependsOn: readonly string[]): string {
  return `apiVersion: backstage.io/v1alpha1
kind: Component
metadata: { name: ${name} }
spec:
  type: service
  lifecycle: production
  owner: shop
  dependsOn: ${JSON.stringify(dependsOn)}
`;
}

function resource(name: string, type: string): string {
  return `apiVersion: backstage.io/v1alpha1
kind: Resource
metadata: { name: ${name} }
spec: { type: ${type}, owner: shop }
`;
}

export const catalogue: string = [
  resource("defaults", "configuration"),
  component("frontend", ["component:cart", "component:catalogue", "component:payment"]),
  component("cart", ["component:catalogue", "resource:defaults"]),
  component("catalogue", []),
  component("payment", []),
  component("worker", []),
].join("---\n");
