// The images of the system-level tests: one case file of guest/cpu-tests each, linked with the harness of its mode.
const image = (name, mode, end = 'exit-port', devices = 'none', oracle = 'qemu') => ({ name, mode, end, devices, oracle });
export const TEST_IMAGES = [
    image('real-reset', 'real16'),
    image('real-basics', 'real16'),
    image('protected-segments', 'protected32'),
    image('protected-transfers', 'protected32'),
    image('protected-paging', 'protected32'),
    image('mode-switches', 'protected32'),
    image('triple-fault', 'long64', 'triple-fault'),
    image('interrupts', 'long64', 'exit-port', 'pic-pit'),
    image('long-paging', 'long64'),
    image('long-exceptions', 'long64'),
    image('long-transfers', 'long64'),
    image('long-privilege', 'long64'),
    image('long-registers', 'long64'),
    image('long-sdm', 'long64', 'exit-port', 'none', 'sdm'),
    image('long-code', 'long64'),
];
