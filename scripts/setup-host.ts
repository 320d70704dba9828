// The first step of `pnpm test`: brings the programs that tests use, where that is possible without asking.
import { realAptHost, setupTools } from '@systab/host-tools';

setupTools(realAptHost());
