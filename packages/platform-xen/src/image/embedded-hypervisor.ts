/**
 * Where the image of our own hypervisor is, whose sources are in guest/hypervisor: a file for Node.js, something to fetch for a browser.
 * It takes the place of Xen's `xen.efi` in a unified image.
 */
export const embeddedHypervisor: URL = new URL('../../images/hypervisor-x64.efi', import.meta.url);
